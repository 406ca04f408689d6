// The Mann-Whitney U test: a second opinion that assumes nothing about the shape of the noise.
#pragma once

#include <vector>

namespace walrus::harness {

// The probability of ranks at least as unequal as those of `a` and `b` when both come from the
// same distribution (two-sided).  Exact for up to 30 values each without ties; otherwise the normal
// approximation with corrections for ties and continuity.  1 when either list is empty.
double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace walrus::harness
