#include "harness/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace walrus::harness {
namespace {

constexpr std::size_t kStyles = 8;
constexpr std::size_t kShapes = 4;
constexpr double kSymbolSize = 4.2;

std::string titled(const std::string& element, const std::string& title) {
    if (title.empty()) return element + "/>\n";
    const std::string name = element.substr(1, element.find(' ') - 1);
    return element + "><title>" + escape_xml(title) + "</title></" + name + ">\n";
}

}  // namespace

std::string escape_xml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&': escaped += "&amp;"; break;
            case '<': escaped += "&lt;"; break;
            case '>': escaped += "&gt;"; break;
            case '"': escaped += "&quot;"; break;
            case '\'': escaped += "&#39;"; break;
            // Control characters may not be in XML at all.
            default: escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
        }
    }
    return escaped;
}

double Scale::at(double value) const {
    value = std::clamp(value, low, high);
    const double share =
        logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + (std::isfinite(share) ? share : 0) * (to - from);
}

std::vector<double> linear_ticks(double low, double high, std::size_t count) {
    if (!(high > low)) return {low};
    const double rough = (high - low) / static_cast<double>(count);
    const double power = std::pow(10, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= rough) {
            step = factor * power;
            break;
        }
    }
    std::vector<double> ticks;
    for (double i = std::ceil(low / step); i * step <= high * (1 + 1e-9); ++i) {
        ticks.push_back(i * step);
    }
    return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
    std::vector<double> decades;
    std::vector<double> finer;
    const auto first = static_cast<int>(std::floor(std::log10(low)));
    const auto last = static_cast<int>(std::ceil(std::log10(high)));
    for (int exponent = first; exponent <= last; ++exponent) {
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tick = factor * std::pow(10, exponent);
            if (tick < low * (1 - 1e-9) || tick > high * (1 + 1e-9)) continue;
            finer.push_back(tick);
            if (factor == 1.0) decades.push_back(tick);
        }
    }
    return decades.size() >= 3 ? decades : finer;
}

std::string mark_attributes(const Mark& mark) {
    std::string text;
    if (!mark.figure.empty()) text += fmt::format(" data-figure=\"{}\"", escape_xml(mark.figure));
    if (!mark.source.empty()) text += fmt::format(" data-source=\"{}\"", escape_xml(mark.source));
    return text;
}

Svg::Svg(double width, double height, const std::string& title)
    : text_(fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width,
                        height, escape_xml(title))) {}

void Svg::line(Point from, Point to, std::string_view classes) {
    text_ += fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", classes,
                         from.x, from.y, to.x, to.y);
}

void Svg::path(const std::vector<Point>& points, std::string_view classes) {
    if (points.size() < 2) return;
    std::string d;
    for (const Point& point : points) {
        d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", point.x, point.y);
    }
    text_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", classes, d);
}

void Svg::text(Point at, std::string_view anchor, std::string_view classes, const std::string& text,
               const Mark& mark) {
    text_ += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\"{}>{}{}"
        "</text>\n",
        at.x, at.y, anchor, classes, mark_attributes(mark), escape_xml(text),
        mark.title.empty() ? "" : "<title>" + escape_xml(mark.title) + "</title>");
}

void Svg::symbol(Point centre, std::size_t style, const Mark& mark) {
    const double r = kSymbolSize;
    const auto moved = [&](double dx, double dy) {
        return fmt::format("{:.1f} {:.1f}", centre.x + dx, centre.y + dy);
    };
    std::string d;
    switch (style % kShapes) {
        case 0:
            d = fmt::format("M{}a{} {} 0 1 0 {} 0a{} {} 0 1 0 {} 0Z", moved(-r, 0), r, r, 2 * r, r,
                            r, -2 * r);
            break;
        case 1:
            d = fmt::format("M{}h{}v{}h{}Z", moved(-r * 0.9, -r * 0.9), r * 1.8, r * 1.8, -r * 1.8);
            break;
        case 2:
            d = fmt::format("M{}L{}L{}L{}Z", moved(0, -r * 1.25), moved(r * 1.25, 0),
                            moved(0, r * 1.25), moved(-r * 1.25, 0));
            break;
        default:
            d = fmt::format("M{}L{}L{}Z", moved(0, -r * 1.15), moved(r * 1.1, r * 0.9),
                            moved(-r * 1.1, r * 0.9));
    }
    text_ += titled(fmt::format("<path class=\"symbol {}\" d=\"{}\"{}", system_class(style), d,
                                mark_attributes(mark)),
                    mark.title);
}

void Svg::target(Point centre, double radius, const Mark& mark) {
    text_ +=
        titled(fmt::format("<circle class=\"target\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"{}",
                           centre.x, centre.y, radius, mark_attributes(mark)),
               mark.title);
}

std::string system_class(std::size_t style) {
    return fmt::format("s{}", style % kStyles);
}

}  // namespace walrus::harness
