// Four samples a vector, four bytes a sample: the vector extensions of GCC and Clang, on any little-endian machine.
#include <cstdint>
#include <cstring>

namespace {

typedef int32_t Lanes __attribute__((vector_size(16)));
typedef int16_t Halves __attribute__((vector_size(16)));
constexpr int LANES = 4;
constexpr int TILE = 4;
constexpr int ROWS = 2;

inline Lanes all(int32_t value) { return Lanes{value, value, value, value}; }
inline Lanes load(const void* from) {
    Lanes value;
    std::memcpy(&value, from, sizeof value);
    return value;
}
inline void store(void* to, Lanes value) { std::memcpy(to, &value, sizeof value); }
inline Lanes kept(Lanes bytes, Lanes mask) { return bytes & mask; }

// Adds the two products of 16 bits in each lane.
inline Lanes add_halves(Lanes sum, Halves products) {
    const Lanes pairs = (Lanes)products;
    return sum + (pairs << 16 >> 16) + (pairs >> 16);
}

// A product of a byte and a signed byte fits 16 bits; so does a sum of two if the byte has only 7 bits.
template <int BITS>
inline Lanes dot(Lanes sum, Lanes bytes, Lanes weights) {
    const Halves even = (Halves)(bytes & 0x00ff00ff) * ((Halves)weights << 8 >> 8);
    const Halves odd = (Halves)(bytes >> 8 & 0x00ff00ff) * ((Halves)weights >> 8);
    if constexpr (BITS <= 7) return add_halves(sum, even + odd);
    return add_halves(add_halves(sum, even), odd);
}

inline Lanes chosen(Lanes where, Lanes yes, Lanes no) { return (where & yes) | (~where & no); }
inline Lanes larger(Lanes a, Lanes b) { return chosen(a > b, a, b); }
inline uint64_t at_least(Lanes a, Lanes b) {
    const Lanes yes = a >= b;
    return (yes[0] & 1) | (yes[1] & 2) | (yes[2] & 4) | (yes[3] & 8);
}

template <int LSB, int BITS>
inline Lanes activated(Lanes a) {
    const Lanes largest = all((1 << BITS) - 1);
    a = larger(a, all(0)) >> LSB;
    return chosen(a < largest, a, largest);
}

// The QReLU of four sums, one byte each.
template <int LSB, int BITS>
inline Lanes activated(Lanes a, Lanes b, Lanes c, Lanes d) {
    return activated<LSB, BITS>(a) | activated<LSB, BITS>(b) << 8 | activated<LSB, BITS>(c) << 16 |
           activated<LSB, BITS>(d) << 24;
}

}  // namespace
