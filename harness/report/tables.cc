#include "harness/report/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/report/table_model.h"

namespace walrus::harness {
namespace {

// Every line of the same system column width, with the row's name as a heading above its systems.
std::string table_text(const Table& table) {
    std::vector<std::size_t> widths;
    for (const Column& column : table.columns) widths.push_back(column.title.size());
    widths[0] = 0;
    for (const TableLine& line : table.lines) {
        for (std::size_t i = 0; i < line.cells.size(); ++i) {
            widths[i] = std::max(widths[i], line.cells[i].text.size());
        }
    }
    const auto laid_out = [&](auto text_of) {
        std::string text = "   ";
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            text += table.columns[i].left ? fmt::format(" {:<{}} ", text_of(i), widths[i])
                                          : fmt::format("  {:>{}}", text_of(i), widths[i]);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        return text + "\n";
    };
    std::string text =
        laid_out([&](std::size_t i) { return i == 0 ? "" : table.columns[i].title; });
    for (const TableLine& line : table.lines) {
        if (!line.heading.empty()) text += "  " + line.heading + "\n";
        text += laid_out([&](std::size_t i) {
            return i < line.cells.size() ? line.cells[i].text : std::string();
        });
    }
    return text;
}

std::string markdown_table(const Table& table) {
    std::string text = "| workload |";
    std::string rule = "|:--|";
    for (const Column& column : table.columns) {
        text += " " + markdown_cell(column.title) + " |";
        rule += column.left ? ":--|" : "--:|";
    }
    text += "\n" + rule + "\n";
    for (const TableLine& line : table.lines) {
        text += "| " + markdown_cell(line.heading) + " |";
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            text += " " + (i < line.cells.size() ? markdown_cell(line.cells[i].text) : "") + " |";
        }
        text += "\n";
    }
    return text;
}

}  // namespace

std::string align_columns(const std::vector<std::vector<std::string>>& rows,
                          std::size_t left_columns) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line = " ";
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += i < left_columns ? fmt::format(" {:<{}}", row[i], widths[i])
                                     : fmt::format("  {:>{}}", row[i], widths[i]);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string markdown_cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '|' || c == '\\' || c == '*' || c == '_' || c == '`' || c == '<') escaped += '\\';
        escaped += c == '\n' ? ' ' : c;
    }
    return escaped;
}

std::string render_tables(const RunResult& result, const std::vector<Line>& lines) {
    std::string text = fmt::format("\n{}\n", result.scenario.title);
    for (const Table& table : make_tables(result, lines)) {
        const std::string banner = table.banner();
        text += fmt::format("\n{}\n{}\n", banner, std::string(banner.size(), '='));
        if (!table.floor.empty()) text += table.floor + "\n";
        text += table_text(table);
        for (const std::string& remark : table.remarks) text += "  ! " + remark + "\n";
    }
    text += "\n";
    for (const std::string& sentence : closing_sentences(result, lines)) text += sentence + "\n";
    return text;
}

std::string render_markdown(const RunResult& result, const std::vector<Line>& lines) {
    std::string text = fmt::format("## {}\n", result.scenario.title);
    for (const Table& table : make_tables(result, lines)) {
        text += fmt::format("\n### {}\n\n", table.banner());
        if (!table.floor.empty()) text += table.floor + "\n\n";
        text += markdown_table(table);
        if (!table.remarks.empty()) text += "\n";
        for (const std::string& remark : table.remarks) {
            text += "- :warning: " + markdown_cell(remark) + "\n";
        }
    }
    text += "\n";
    for (const std::string& sentence : closing_sentences(result, lines)) {
        text += markdown_cell(sentence) + "\n";
    }
    return text;
}

}  // namespace walrus::harness
