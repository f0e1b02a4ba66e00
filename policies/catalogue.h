/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of accelerators: how to recognise one on the PCI bus, and what it is rated. The
 * catalogue only proposes: the rating that counts is the one of the pool. Every figure says where it
 * comes from and how sure it is. A part without a figure at a precision has none there: it is never
 * converted from another.
 */
#pragma once
#include "alloc/amount.h"
#include "alloc/err.h"

#include <stddef.h>

struct catalogue;

enum figure_status {
    FIGURE_VENDOR,     /* the vendor or the provider prints it */
    FIGURE_DERIVED,    /* computed from figures that they print; the source says how */
    FIGURE_UNVERIFIED, /* seen, not confirmed: a person must confirm before it is used */
};
const char *figure_status_word(enum figure_status status);

struct figure {
    int64_t n; /* GFLOPS, GB as printed, or watts */
    enum figure_status status;
    const char *source;
};

struct catalogue_rating {
    const char *precision; /* "fp32", "fp16" (tensor, dense), "bf16", "fp8", "int8" (operations) */
    struct figure gflops;
};

struct catalogue_slice {
    const char *profile; /* "1g.5gb" */
    int64_t most;        /* how many of them one card can have */
    struct figure memory;
    const struct catalogue_rating *ratings;
    size_t n_ratings;
};

struct catalogue_part {
    const char *name, *title; /* "v100-sxm2-32gb", "NVIDIA Tesla V100 SXM2 32GB" */
    const char *const *pci;   /* "10de:1db5": vendor and device in lower-case hexadecimal */
    size_t n_pci;
    const struct catalogue_rating *ratings;
    size_t n_ratings;
    bool has_memory, has_power;
    struct figure memory, power;
    const struct catalogue_slice *slices;
    size_t n_slices;
};

/* Reads and checks; messages name the place. NULL on failure. */
struct catalogue *catalogue_read(const char *path, struct err *e);
struct catalogue *catalogue_parse(const char *text, const char *title, struct err *e);
void catalogue_free(struct catalogue *c);
size_t catalogue_parts(const struct catalogue *c);
const struct catalogue_part *catalogue_part(const struct catalogue *c, size_t i);
/* By vendor and device id; NULL: not known. No id belongs to two parts. */
const struct catalogue_part *catalogue_find(const struct catalogue *c, unsigned vendor, unsigned device);
const struct catalogue_part *catalogue_named(const struct catalogue *c, const char *name);
/* NULL: it has none at this precision. */
const struct figure *catalogue_figure(const struct catalogue_part *part, const char *precision);
/* SHA-256 of the canonical text, for policy_stored(). */
const char *catalogue_hash(const struct catalogue *c);
