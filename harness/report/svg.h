// Scales, ticks and the few SVG elements our charts need.  Pure text, no script.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace walrus::harness {

// For text and attribute values alike.
std::string escape_xml(std::string_view text);

// Maps values to coordinates.
struct Scale {
    double low = 0;
    double high = 1;
    double from = 0;  // Coordinate of `low`.
    double to = 1;    // Coordinate of `high`.
    bool logarithmic = false;

    // Clamped to the scale.
    double at(double value) const;
};

// About `count` round values within a linear scale: 0, 20, 40, ...
std::vector<double> linear_ticks(double low, double high, std::size_t count);
// Powers of ten within [low, high], with 2 and 5 when there would be fewer than three.
std::vector<double> logarithmic_ticks(double low, double high);

struct Point {
    double x = 0;
    double y = 0;
};

// What a mark stands for: shown while the pointer rests on it, and read by programs.
struct Mark {
    std::string title;   // "walrus p99: 649 ns".
    std::string figure;  // JSON pointer into figures.json; "" when it is not a figure of its own.
    std::string source;  // JSON pointer into result.json.
};
// ` data-figure="..." data-source="..."`, as far as there are any.
std::string mark_attributes(const Mark& mark);

// One drawing; coordinates are those of its view box.  Styles are classes of the page.
class Svg {
public:
    Svg(double width, double height, const std::string& title);

    void line(Point from, Point to, std::string_view classes);
    void path(const std::vector<Point>& points, std::string_view classes);
    void text(Point at, std::string_view anchor, std::string_view classes, const std::string& text,
              const Mark& mark = {});
    // A symbol of the `style`-th system: circle, square, diamond or triangle.
    void symbol(Point centre, std::size_t style, const Mark& mark);
    // An invisible place that shows the mark's title.
    void target(Point centre, double radius, const Mark& mark);

    std::string finish() const { return text_ + "</svg>\n"; }

private:
    std::string text_;
};

// "s0" .. "s7": the page's classes for the colours of systems.
std::string system_class(std::size_t style);

}  // namespace walrus::harness
