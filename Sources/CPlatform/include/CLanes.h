/// One hardware vector of the instruction-set level, `Lanes` in Swift, and what Swift's library does with
/// it in a loop over its lanes: the optimiser puts them together again not always (Swift 6.3), or not at
/// all (6.0).
#ifndef CLANES_H
#define CLANES_H

#include <stdint.h>

#define CLANES_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
#define CLANES_COUNT 16
#elif defined(__AVX2__)
#define CLANES_COUNT 8
#else
#define CLANES_COUNT 4
#endif

typedef float cplatform_lanes __attribute__((ext_vector_type(CLANES_COUNT)));
/// All bits of a lane, or none.
typedef int32_t cplatform_lanes_mask __attribute__((ext_vector_type(CLANES_COUNT)));

/// Vectors in memory, where any alignment will do.
typedef cplatform_lanes cplatform_lanes_there __attribute__((aligned(4), may_alias));
typedef cplatform_lanes_mask cplatform_lanes_mask_there __attribute__((aligned(4), may_alias));

// Results are written where a pointer says, which costs nothing when they are inlined: Swift 6.0 takes a
// vector that is returned apart and puts it together again. The pointer is to nothing in particular since
// Swift knows no pointers to vectors of C.

/// Adds a * b to the sum: one rounding where the level has the instruction, two where it has not. There a
/// fused product would call `fmaf` once per lane.
CLANES_INLINE void cplatform_add_product(void *sum, cplatform_lanes a, cplatform_lanes b) {
    cplatform_lanes_there *c = sum;
#if defined(__FMA__) || defined(__aarch64__)
    *c = __builtin_elementwise_fma(a, b, *c);
#else
    *c = a * b + *c;
#endif
}

CLANES_INLINE void cplatform_less(void *mask, cplatform_lanes a, cplatform_lanes b) {
    *(cplatform_lanes_mask_there *)mask = a < b;
}

CLANES_INLINE void cplatform_less_or_equal(void *mask, cplatform_lanes a, cplatform_lanes b) {
    *(cplatform_lanes_mask_there *)mask = a <= b;
}

CLANES_INLINE void cplatform_equal(void *mask, cplatform_lanes a, cplatform_lanes b) {
    *(cplatform_lanes_mask_there *)mask = a == b;
}

CLANES_INLINE void cplatform_not_equal(void *mask, cplatform_lanes a, cplatform_lanes b) {
    *(cplatform_lanes_mask_there *)mask = a != b;
}

typedef _Bool cplatform_lanes_bits __attribute__((ext_vector_type(CLANES_COUNT)));

/// The lanes for which the mask is set, a bit each, the first one lowest.
CLANES_INLINE uint32_t cplatform_mask_bits(cplatform_lanes_mask mask) {
    cplatform_lanes_bits lanes = __builtin_convertvector(mask, cplatform_lanes_bits);
    uint32_t bits = 0;
    __builtin_memcpy(&bits, &lanes, (CLANES_COUNT + 7) / 8);
    return bits & ((1u << CLANES_COUNT) - 1);
}

/// Replaces the lanes for which the mask is set.
CLANES_INLINE void cplatform_replace(void *value, cplatform_lanes_mask mask, cplatform_lanes other) {
    cplatform_lanes_there *lanes = value;
    *lanes = mask ? other : *lanes;
}

// Numbers of 16 bits in memory: the upper halves of floats, bfloat16.

typedef uint32_t cplatform_words __attribute__((ext_vector_type(CLANES_COUNT)));
typedef uint16_t cplatform_half_words __attribute__((ext_vector_type(CLANES_COUNT)));

CLANES_INLINE void cplatform_load_upper_halves(void *value, const void *source) {
    cplatform_half_words halves;
    __builtin_memcpy(&halves, source, sizeof halves);
    cplatform_words bits = __builtin_convertvector(halves, cplatform_words) << 16;
    __builtin_memcpy(value, &bits, sizeof bits);
}

CLANES_INLINE void cplatform_store_upper_halves(void *target, cplatform_lanes value) {
    cplatform_half_words halves = __builtin_convertvector((cplatform_words)value >> 16, cplatform_half_words);
    __builtin_memcpy(target, &halves, sizeof halves);
}

/// Rounds to the nearest bfloat16, of two to the even one. NaN stays NaN.
CLANES_INLINE void cplatform_round_to_upper_half(void *value, cplatform_lanes x) {
    cplatform_words bits = (cplatform_words)x;
    cplatform_words rounded = bits + 0x7fff + (bits >> 16 & 1);
    cplatform_lanes_mask is_number = x == x;
    cplatform_words kept = (is_number ? rounded : bits | 0x400000) & 0xffff0000;
    __builtin_memcpy(value, &kept, sizeof kept);
}

#if defined(__AVX512BF16__)
typedef __bf16 cplatform_halves __attribute__((__vector_size__(64)));
typedef __bf16 cplatform_half_halves __attribute__((__vector_size__(32)));
typedef unsigned short cplatform_ushort16 __attribute__((ext_vector_type(16)));
typedef unsigned int cplatform_uint16 __attribute__((ext_vector_type(16)));

/// Adds a.second * b.second + a.first * b.first to the sum, lane by lane, of pairs of bfloat16.
CLANES_INLINE void cplatform_add_dot_bfloat16(void *sum, cplatform_lanes a, cplatform_lanes b) {
    cplatform_lanes_there *c = sum;
#if __clang_major__ < 18
    // The builtin ends Swift 6.0's compiler: its optimiser turns bfloat16 to floats and back without end.
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(*c) : "v"(a), "v"(b));
#else
    *c = (cplatform_lanes)__builtin_ia32_dpbf16ps_512(*c, (cplatform_halves)a, (cplatform_halves)b);
#endif
}

CLANES_INLINE cplatform_ushort16 cplatform_round_bfloat16(cplatform_lanes value) {
    return (cplatform_ushort16)__builtin_ia32_cvtneps2bf16_512_mask(value, (cplatform_half_halves){0}, -1);
}

/// Stores 16 numbers, rounded, in 32 bytes.
CLANES_INLINE void cplatform_store_bfloat16(void *target, cplatform_lanes value) {
    cplatform_ushort16 rounded = cplatform_round_bfloat16(value);
    __builtin_memcpy(target, &rounded, sizeof rounded);
}

/// Stores 16 pairs whose first numbers are these, rounded, and whose second ones are 0.
CLANES_INLINE void cplatform_store_first_bfloat16(void *target, cplatform_lanes value) {
    cplatform_uint16 pairs = __builtin_convertvector(cplatform_round_bfloat16(value), cplatform_uint16);
    __builtin_memcpy(target, &pairs, sizeof pairs);
}

/// Makes the numbers, rounded, the second ones of 16 pairs.
CLANES_INLINE void cplatform_store_second_bfloat16(void *target, cplatform_lanes value) {
    cplatform_uint16 pairs;
    __builtin_memcpy(&pairs, target, sizeof pairs);
    pairs |= __builtin_convertvector(cplatform_round_bfloat16(value), cplatform_uint16) << 16;
    __builtin_memcpy(target, &pairs, sizeof pairs);
}
#endif

#endif
