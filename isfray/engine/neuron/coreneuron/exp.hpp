// exp for CoreNEURON's vector loops, whose generated code calls it by this unqualified name: inlined, it costs less than
// half of a call into libmvec. About 1 ulp from -600 to 600, and beyond as there: far enough inside double's range that
// what compilers make of these bounds is never a denormal number, slow on many processors. nan stays nan.
#pragma once
#include <cstdint>
#include <cstring>

namespace coreneuron {
inline double exp(double x) {
    const double shifter = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, kept in the low bits
    x = x < -600.0 ? -600.0 : x;
    x = x > 600.0 ? 600.0 : x;
    const double shifted = x * 1.4426950408889634 + shifter;
    const double n = shifted - shifter;
    // exp(x) = 2^n exp(r) with |r| <= ln(2)/2; ln(2) in two parts, the first short enough for n times it to be exact
    const double r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10;
    // (exp(r) - 1 - r)/r^2 as a Chebyshev fit, 1e-16
    const double r2 = r * r, r4 = r2 * r2;
    const double a = 0.5000000000000001 + r * 0.16666666666666669;
    const double b = 0.04166666666662413 + r * 0.008333333333330062;
    const double c = 0.0013888888917213717 + r * 0.00019841269863053618;
    const double d = 2.4801521295954376e-05 + r * 2.7557268459997064e-06;
    const double e = 2.7620088445409746e-07 + r * 2.510038549551032e-08;
    const double q = (a + r2 * b) + r4 * ((c + r2 * d) + r4 * e);
    const double p = 1.0 + (r + r2 * q);
    std::int64_t bits, exponent;
    std::memcpy(&bits, &p, sizeof bits);
    std::memcpy(&exponent, &shifted, sizeof exponent);
    bits += static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent) << 52);
    double y;
    std::memcpy(&y, &bits, sizeof y);
    return y;
}
}  // namespace coreneuron
