// Classifies samples with whole populations of chromosomes, for one shape (program.h) and one kind of vectors.
//
// VECTOR_HEADER   the vectors: one of vector_*.h
//
// A vector holds one 32-bit lane a sample and in each lane four inputs of a byte: one AND masks them and one dot
// product multiplies them by signed powers of two and sums. The samples of a tile are of one class, so nothing but
// its rivals' largest score is compared with its own.
#include <cstdint>

#include "program.h"
#include VECTOR_HEADER

#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

struct Samples {
    const uint8_t* bytes;     // (n_tiles, groups, TILE, LANES, 4)
    const int32_t* classes;   // (n_tiles,) the class of all the tile's samples
    const uint64_t* present;  // (n_tiles,) bit t: sample t is no padding
    const int64_t* weights;   // (N_CLASSES,)
    int64_t n_tiles;
};

struct Population {
    const int32_t* genes;  // (size, all_genes())
    const int32_t* lower;  // (all_genes(),) range of each gene, and one value in it that is none
    const int32_t* upper;
    const int32_t* excluded;
    int64_t size;
};

namespace {

constexpr int SAMPLES = LANES * TILE;
constexpr int64_t SHARE = 16;  // chromosomes a thread takes at a time

// Sums of N neurons for one tile, whose vectors lie group after group. To look for dead groups costs more than it
// saves where there are few: SPARSE says whether to.
template <bool SPARSE, int L, int N>
inline void add_up(const Row<L>* const* rows, const Lanes* source, Lanes (&sums)[N][TILE]) {
    constexpr int VALUE_BITS = doubled(L) ? 4 : BITS[L];
    for (int g = 0; g < groups(L); ++g) {
        Lanes bytes[TILE];
        UNROLL for (int v = 0; v < TILE; ++v) bytes[v] = load(source + g * TILE + v);
        UNROLL for (int j = 0; j < N; ++j) {
            const int32_t live = word(rows[j]->mask + 4 * g);
            if (SPARSE && live == 0) continue;
            const Lanes mask = all(live), weights = all(word(rows[j]->weight + 4 * g));
            UNROLL for (int v = 0; v < TILE; ++v)
                sums[j][v] = dot<VALUE_BITS>(sums[j][v], kept(bytes[v], mask), weights);
            if (const int32_t more = word(rows[j]->more + 4 * g); twice(L) && more != 0)
                UNROLL for (int v = 0; v < TILE; ++v)
                    sums[j][v] = dot<VALUE_BITS>(sums[j][v], kept(bytes[v], mask), all(more));
        }
    }
}

template <bool SPARSE, int L, int N>
inline void activate(const Row<L>* rows, const Lanes* source, Lanes* target) {
    const Row<L>* chosen[N];
    Lanes sums[N][TILE];
    UNROLL for (int j = 0; j < N; ++j) {
        chosen[j] = rows + j;
        UNROLL for (int v = 0; v < TILE; ++v) sums[j][v] = all(rows[j].bias);
    }
    add_up<SPARSE, L, N>(chosen, source, sums);
    UNROLL for (int v = 0; v < TILE; ++v)
        target[v] = activated<LSB[L], BITS[L + 1]>(sums[0][v], sums[1 % N][v], sums[2 % N][v], sums[3 % N][v]);
}

// Values of the last hidden layer, or the samples themselves, from layer L on.
template <bool SPARSE, int L>
inline const Lanes* hidden(const Program<L>& program, const Lanes* source, Lanes* target) {
    if constexpr (L == LAST) {
        return source;
    } else {
        constexpr int N = SIZES[L + 1];
        for (int j = 0; j + 4 <= N; j += 4) activate<SPARSE, L, 4>(program.rows + j, source, target + j / 4 * TILE);
        if constexpr (N % 4) activate<SPARSE, L, N % 4>(program.rows + N / 4 * 4, source, target + N / 4 * TILE);
        return hidden<SPARSE, L + 1>(program.next, target, target + groups(L + 1) * TILE);
    }
}

template <int L>
inline const Row<LAST>* last_rows(const Program<L>& program) {
    if constexpr (L == LAST)
        return program.rows;
    else
        return last_rows<L + 1>(program.next);
}

constexpr int hidden_vectors() {
    int total = 1;
    for (int layer = 1; layer < N_LAYERS; ++layer) total += groups(layer) * TILE;
    return total;
}

// The output neurons as the samples of one class see them, its own first. A lower class wins ties: it has 1 more.
struct Rivals {
    const Row<LAST>* rows[N_CLASSES];
    int32_t bias[N_CLASSES];
    int32_t floor;

    void arrange(const Row<LAST>* all_rows, int own) {
        rows[0] = all_rows + own;
        bias[0] = all_rows[own].bias;
        for (int j = 1; j < N_CLASSES; ++j) {
            rows[j] = all_rows + (j <= own ? j - 1 : j);
            bias[j] = rows[j]->bias + (j <= own);
        }
        floor = SIGNED_SCORES || own == 0 ? INT32_MIN : 1;
    }
};

template <bool SPARSE, int N, bool FIRST>
inline void compete(const Rivals& rivals, int start, const Lanes* source, Lanes (&own)[TILE], Lanes (&best)[TILE]) {
    Lanes sums[N][TILE];
    UNROLL for (int j = 0; j < N; ++j)
        UNROLL for (int v = 0; v < TILE; ++v) sums[j][v] = all(rivals.bias[start + j]);
    add_up<SPARSE, LAST, N>(rivals.rows + start, source, sums);
    UNROLL for (int v = 0; v < TILE; ++v) {
        if (FIRST) own[v] = sums[0][v];
        UNROLL for (int j = FIRST; j < N; ++j) best[v] = larger(best[v], sums[j][v]);
    }
}

// Bit t says whether sample t of the tile gets its class.
template <bool SPARSE>
inline uint64_t right(const Rivals& rivals, const Lanes* source) {
    constexpr int HEAD = N_CLASSES < ROWS ? N_CLASSES : ROWS;
    constexpr int REST = (N_CLASSES - HEAD) % ROWS;
    Lanes own[TILE], best[TILE];
    UNROLL for (int v = 0; v < TILE; ++v) best[v] = all(rivals.floor);
    compete<SPARSE, HEAD, true>(rivals, 0, source, own, best);
    for (int j = HEAD; j + ROWS <= N_CLASSES; j += ROWS) compete<SPARSE, ROWS, false>(rivals, j, source, own, best);
    if constexpr (REST > 0) compete<SPARSE, REST, false>(rivals, N_CLASSES - REST, source, own, best);
    uint64_t bits = 0;
    UNROLL for (int v = 0; v < TILE; ++v) {
        if (!SIGNED_SCORES) own[v] = larger(own[v], all(0));
        bits |= at_least(own[v], best[v]) << (LANES * v);
    }
    return bits;
}

template <int N>
inline void score(const Row<LAST>* rows, const Lanes* source, int32_t (*scores)[SAMPLES]) {
    const Row<LAST>* chosen[N];
    Lanes sums[N][TILE];
    for (int j = 0; j < N; ++j) {
        chosen[j] = rows + j;
        for (int v = 0; v < TILE; ++v) sums[j][v] = all(rows[j].bias);
    }
    add_up<true, LAST, N>(chosen, source, sums);
    for (int j = 0; j < N; ++j)
        for (int v = 0; v < TILE; ++v) store(scores[j] + LANES * v, sums[j][v]);
}

inline void choose(const Row<LAST>* rows, const Lanes* source, int32_t* classes) {
    int32_t scores[N_CLASSES][SAMPLES];
    for (int j = 0; j < N_CLASSES; ++j) score<1>(rows + j, source, scores + j);
    for (int t = 0; t < SAMPLES; ++t) {
        int32_t best = SIGNED_SCORES || scores[0][t] > 0 ? scores[0][t] : 0, winner = 0;
        for (int c = 1; c < N_CLASSES; ++c)
            if (scores[c][t] > best) best = scores[c][t], winner = c;
        classes[t] = winner;
    }
}

bool in_range(const Population* population, const int32_t* genes) {
    int32_t bad = 0;
    for (int g = 0; g < all_genes(); ++g)
        bad |= (genes[g] < population->lower[g]) | (genes[g] > population->upper[g]) |
               (genes[g] == population->excluded[g]);
    return !bad;
}

template <bool SPARSE>
int64_t weighted_errors(const Program<0>& program, const Samples* samples, int64_t budget) {
    const Lanes* source = reinterpret_cast<const Lanes*>(samples->bytes);
    Lanes values[hidden_vectors()];
    Rivals rivals;
    int64_t errors = 0;
    for (int64_t t = 0; t < samples->n_tiles && errors <= budget; ++t, source += groups(0) * TILE) {
        asm volatile("" ::: "memory");  // keeps the compiler from holding a chromosome's constants on the stack
        const int32_t own = samples->classes[t];
        if (t == 0 || own != samples->classes[t - 1]) rivals.arrange(last_rows<0>(program), own);
        const uint64_t wrong = ~right<SPARSE>(rivals, hidden<SPARSE, 0>(program, source, values)) & samples->present[t];
        errors += samples->weights[own] * __builtin_popcountll(wrong);
    }
    return errors;
}

}  // namespace

extern "C" {

int64_t tile_samples() { return SAMPLES; }

// Weighted errors of each chromosome into `errors`, (size,). Threads share `next`, which starts at 0. Returns whether
// every chromosome met was in range; where one is not, the answers are worth nothing.
int64_t count_errors(const Population* population, const Samples* samples, int64_t budget, int64_t* next,
                     int64_t* errors) {
    Program<0> program{};
    for (;;) {
        const int64_t start = __atomic_fetch_add(next, SHARE, __ATOMIC_RELAXED);
        if (start >= population->size) return 1;
        const int64_t stop = start + SHARE < population->size ? start + SHARE : population->size;
        for (int64_t p = start; p < stop; ++p) {
            const int32_t* genes = population->genes + p * all_genes();
            if (!in_range(population, genes)) return 0;
            compile<0>(genes, program);
            const bool sparse = 4 * dead_groups<0>(program) > all_groups();
            errors[p] = sparse ? weighted_errors<true>(program, samples, budget)
                               : weighted_errors<false>(program, samples, budget);
        }
    }
}

// Class of each sample, padding included, into `classes`, (size, n_tiles * SAMPLES); else as `count_errors`.
int64_t classify(const Population* population, const Samples* samples, int64_t* next, int32_t* classes) {
    Program<0> program{};
    Lanes values[hidden_vectors()];
    for (int64_t p; (p = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < population->size;) {
        const int32_t* genes = population->genes + p * all_genes();
        if (!in_range(population, genes)) return 0;
        compile<0>(genes, program);
        const Lanes* source = reinterpret_cast<const Lanes*>(samples->bytes);
        int32_t* target = classes + p * samples->n_tiles * SAMPLES;
        for (int64_t t = 0; t < samples->n_tiles; ++t, source += groups(0) * TILE, target += SAMPLES)
            choose(last_rows<0>(program), hidden<true, 0>(program, source, values), target);
    }
    return 1;
}

}  // extern "C"
