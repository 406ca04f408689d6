// Terminal and Markdown tables of a result: one per durability class and measure, never mixed.
#pragma once

#include <string>
#include <vector>

#include "harness/report/summary.h"

namespace walrus::harness {

// Plain text, at most about 120 columns, no colours.
std::string render_tables(const RunResult& result, const std::vector<Line>& lines);

// GitHub-flavoured Markdown, fit for a pull request comment.
std::string render_markdown(const RunResult& result, const std::vector<Line>& lines);

// Columns padded to their widest cell; the first `left_columns` to the left, the rest to the right.
std::string align_columns(const std::vector<std::vector<std::string>>& rows,
                          std::size_t left_columns);

// `text` as a Markdown table cell.
std::string markdown_cell(const std::string& text);

}  // namespace walrus::harness
