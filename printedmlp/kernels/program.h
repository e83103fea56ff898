// A chromosome compiled for a shape: masks and weights as the vectors take them.
//
// LAYER_SIZES     sizes from the inputs to the classes
// INPUT_BITS_OF   bits of each layer's inputs, 1 to 8
// BIAS_SHIFTS_OF  left shift of each layer's biases
// LSB_OF          lowest bit that each layer's activation keeps; 0 for the last layer, which has none
// MAX_EXPONENT    largest exponent, at most 7
// SIGNED_SCORES   whether negative scores count
//
// +128 is no signed byte. Inputs of four bits come twice in their byte, and the upper copy has sixteen times the
// weight; other inputs are weighted by 64 twice.
#pragma once

#include <cstdint>
#include <cstring>

namespace {

constexpr int SIZES[] = {LAYER_SIZES};
constexpr int BITS[] = {INPUT_BITS_OF};
constexpr int BIAS_SHIFTS[] = {BIAS_SHIFTS_OF};
constexpr int LSB[] = {LSB_OF};
constexpr int N_LAYERS = sizeof BITS / sizeof *BITS;
constexpr int N_CLASSES = SIZES[N_LAYERS];
constexpr int LAST = N_LAYERS - 1;

constexpr int groups(int layer) { return (SIZES[layer] + 3) / 4; }
constexpr int genes_of(int layer) { return (3 * SIZES[layer] + 1) * SIZES[layer + 1]; }
constexpr int all_genes() {
    int total = 0;
    for (int layer = 0; layer < N_LAYERS; ++layer) total += genes_of(layer);
    return total;
}
constexpr int all_groups() {
    int total = 0;
    for (int layer = 0; layer < N_LAYERS; ++layer) total += groups(layer) * SIZES[layer + 1];
    return total;
}
constexpr bool doubled(int layer) { return layer == 0 && BITS[0] <= 4; }
constexpr bool twice(int layer) { return MAX_EXPONENT == 7 && !doubled(layer); }

inline int32_t word(const void* bytes) {
    int32_t value;
    std::memcpy(&value, bytes, 4);
    return value;
}

// One neuron; the bytes past its last input stay 0.
template <int L>
struct Row {
    uint8_t mask[4 * groups(L)];
    int8_t weight[4 * groups(L)];
    int8_t more[4 * groups(L)];
    int32_t bias;
};

template <int L, bool = L == LAST>
struct Program {
    Row<L> rows[SIZES[L + 1]];
    Program<L + 1> next;
};

template <int L>
struct Program<L, true> {
    Row<L> rows[SIZES[L + 1]];
};

template <int L>
void compile_row(const int32_t* genes, Row<L>& row) {
    row.bias = genes[3 * SIZES[L]] * (1 << BIAS_SHIFTS[L]);
    for (int i = 0; i < SIZES[L]; ++i, genes += 3) {
        const int high = doubled(L) && genes[2] > 6 ? 4 : 0;
        int32_t weight = genes[0] * (1 << (genes[2] - high));
        if constexpr (twice(L)) {
            const int32_t more = weight == 128 ? 64 : 0;
            row.more[i] = static_cast<int8_t>(more);
            weight -= more;
        }
        row.mask[i] = static_cast<uint8_t>(genes[1] << high);
        row.weight[i] = static_cast<int8_t>(weight);
    }
}

// A neuron that nobody reads has no live input.
template <int L>
void compile_hidden(const int32_t* genes, Row<L> (&rows)[SIZES[L + 1]], const Row<L + 1> (&readers)[SIZES[L + 2]]) {
    uint8_t read[4 * groups(L + 1)] = {};
    for (const auto& reader : readers)
        for (int i = 0; i < 4 * groups(L + 1); ++i) read[i] |= reader.mask[i];
    for (int j = 0; j < SIZES[L + 1]; ++j, genes += 3 * SIZES[L] + 1) {
        if (read[j])
            compile_row<L>(genes, rows[j]);
        else
            std::memset(&rows[j], 0, sizeof rows[j]);
    }
}

template <int L>
void compile(const int32_t* genes, Program<L>& program) {
    if constexpr (L == LAST) {
        for (int j = 0; j < N_CLASSES; ++j) compile_row<L>(genes + j * (3 * SIZES[L] + 1), program.rows[j]);
    } else {
        compile<L + 1>(genes + genes_of(L), program.next);
        compile_hidden<L>(genes, program.rows, program.next.rows);
    }
}

// Groups of inputs without a live one, over all neurons.
template <int L>
int dead_groups(const Program<L>& program) {
    int dead = 0;
    for (const auto& row : program.rows)
        for (int g = 0; g < groups(L); ++g) dead += word(row.mask + 4 * g) == 0;
    if constexpr (L < LAST) dead += dead_groups<L + 1>(program.next);
    return dead;
}

}  // namespace
