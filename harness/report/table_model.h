// The tables of a report before they are drawn: what terminal, Markdown and HTML have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

struct Column {
    std::string title;
    bool left = false;  // Aligned to the left.
};

struct Cell {
    std::string text;
    std::string figure;  // Its name in figures_of(line); "" for words.
};

struct TableLine {
    const Line* line = nullptr;
    std::vector<Cell> cells;  // Fewer than columns when there is nothing more to say.
    // Stands above the first line of a row: its name, and what it is compared with when that is in
    // another row.  "" for all other lines.
    std::string heading;
};

// One table: one level, one durability class and one measure, never mixed.  Points into the lines
// it was made from.
struct Table {
    Level level = Level::kEngine;
    Durability durability = Durability::kDisk;
    Measure measure = Measure::kAppend;
    bool open_loop = false;  // Some line was offered a fixed rate.
    std::vector<Column> columns;
    std::vector<TableLine> lines;
    std::string floor;                 // Of the device, as text; only for synced appends.
    std::vector<std::string> remarks;  // What must be said below the table.

    // "Appends at a fixed rate".
    std::string_view title() const;
    // "Appends, class disk: synced to the device before the acknowledgement".
    std::string banner() const;
    bool synced() const { return durability >= Durability::kDisk; }
};

// `lines` must outlive the tables.
std::vector<Table> make_tables(const RunResult& result, const std::vector<Line>& lines);

// What must be said about the run as a whole, a sentence each.
std::vector<std::string> closing_sentences(const RunResult& result, const std::vector<Line>& lines);

// "2,866,538", "1.42" (GB/s), "131 ms".
std::string figure_text(Measure measure, double figure);
// "11.69x [9.92-13.93]".
std::string ratio_text(const Ratio& ratio);
// "0.11", "1/320", "0".
std::string flush_text(double flushes_per_append);
// What a verdict is called in a table: "faster", ..., "" for a baseline.
std::string verdict_text(const Line& line);

}  // namespace walrus::harness
