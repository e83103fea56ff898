// Eight samples a vector, four bytes a sample: AVX2, with the byte dot product of AVX-VNNI where there is one.
#include <immintrin.h>

#include <cstdint>

namespace {

using Lanes = __m256i;
constexpr int LANES = 8;
constexpr int TILE = 2;
constexpr int ROWS = 4;

inline Lanes all(int32_t value) { return _mm256_set1_epi32(value); }
inline Lanes load(const void* from) { return _mm256_loadu_si256(static_cast<const Lanes*>(from)); }
inline void store(void* to, Lanes value) { _mm256_storeu_si256(static_cast<Lanes*>(to), value); }
inline Lanes kept(Lanes bytes, Lanes mask) { return _mm256_and_si256(bytes, mask); }

#ifdef __AVXVNNI__
template <int BITS>
inline Lanes dot(Lanes sum, Lanes bytes, Lanes weights) {
    return _mm256_dpbusd_avx_epi32(sum, bytes, weights);
}
#else
inline Lanes pairs(Lanes sum, Lanes bytes, Lanes weights) {
    const Lanes products = _mm256_maddubs_epi16(bytes, weights);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}

// The instruction saturates at int16: two products of 7-bit values fit, two of 8-bit values do not, one does.
template <int BITS>
inline Lanes dot(Lanes sum, Lanes bytes, Lanes weights) {
    if constexpr (BITS <= 7) return pairs(sum, bytes, weights);
    const Lanes even = _mm256_set1_epi16(0x00ff);
    sum = pairs(sum, _mm256_and_si256(bytes, even), weights);
    return pairs(sum, _mm256_andnot_si256(even, bytes), weights);
}
#endif

inline Lanes larger(Lanes a, Lanes b) { return _mm256_max_epi32(a, b); }
inline uint64_t at_least(Lanes a, Lanes b) {
    return 0xff & ~_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(b, a)));
}

// The QReLU of four sums, one byte each. Saturating to int16 first is exact: the largest value, 2^(msb+1) - 1, fits.
template <int LSB, int BITS>
inline Lanes activated(Lanes a, Lanes b, Lanes c, Lanes d) {
    constexpr bool EARLY = LSB + BITS <= 15;
    if constexpr (!EARLY)
        a = _mm256_srai_epi32(a, LSB), b = _mm256_srai_epi32(b, LSB), c = _mm256_srai_epi32(c, LSB),
        d = _mm256_srai_epi32(d, LSB);
    Lanes ab = _mm256_packs_epi32(a, b), cd = _mm256_packs_epi32(c, d);
    if constexpr (EARLY) ab = _mm256_srai_epi16(ab, LSB), cd = _mm256_srai_epi16(cd, LSB);
    Lanes bytes = _mm256_packus_epi16(ab, cd);
    if constexpr (BITS < 8) bytes = _mm256_min_epu8(bytes, _mm256_set1_epi8((1 << BITS) - 1));
    const Lanes order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    return _mm256_shuffle_epi8(bytes, order);
}

}  // namespace
