// Sixteen samples a vector, four bytes a sample: AVX-512 with its byte dot product.
#include <immintrin.h>

#include <cstdint>

namespace {

using Lanes = __m512i;
constexpr int LANES = 16;
constexpr int TILE = 4;
constexpr int ROWS = 4;

inline Lanes all(int32_t value) { return _mm512_set1_epi32(value); }
inline Lanes load(const void* from) { return _mm512_loadu_si512(from); }
inline void store(void* to, Lanes value) { _mm512_storeu_si512(to, value); }
inline Lanes kept(Lanes bytes, Lanes mask) { return _mm512_and_si512(bytes, mask); }

template <int BITS>
inline Lanes dot(Lanes sum, Lanes bytes, Lanes weights) {
    return _mm512_dpbusd_epi32(sum, bytes, weights);
}

inline Lanes larger(Lanes a, Lanes b) { return _mm512_max_epi32(a, b); }
inline uint64_t at_least(Lanes a, Lanes b) { return _mm512_cmpge_epi32_mask(a, b); }

// The QReLU of four sums, one byte each. Saturating to int16 first is exact: the largest value, 2^(msb+1) - 1, fits.
template <int LSB, int BITS>
inline Lanes activated(Lanes a, Lanes b, Lanes c, Lanes d) {
    constexpr bool EARLY = LSB + BITS <= 15;
    if constexpr (!EARLY)
        a = _mm512_srai_epi32(a, LSB), b = _mm512_srai_epi32(b, LSB), c = _mm512_srai_epi32(c, LSB),
        d = _mm512_srai_epi32(d, LSB);
    Lanes ab = _mm512_packs_epi32(a, b), cd = _mm512_packs_epi32(c, d);
    if constexpr (EARLY) ab = _mm512_srai_epi16(ab, LSB), cd = _mm512_srai_epi16(cd, LSB);
    Lanes bytes = _mm512_packus_epi16(ab, cd);
    if constexpr (BITS < 8) bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8((1 << BITS) - 1));
    const Lanes order = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    return _mm512_shuffle_epi8(bytes, order);
}

}  // namespace
