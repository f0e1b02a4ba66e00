/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The space of all profiles that the conditions of two policies tell apart, and sets of them. Inside
 * policies/differ*.c only.
 */
#pragma once
#include "policies/eval.h"

enum { SPACE_MOST = 200000 };

/* Values that no condition tells apart: words, or all numbers from low to high. */
struct space_class {
    bool unset;
    const char **words; /* bool, enum, text; none with TYPE_TEXT: any other. Text is borrowed. */
    size_t n_words, room_words;
    bool has_low, has_high; /* numbers and dates */
    int64_t low, high;
};

enum space_kind { SPACE_VALUE, SPACE_RELATIVE, SPACE_TABLE };

struct space_dimension {
    enum space_kind kind;
    int variable[2], table[2]; /* in each policy; -1: it does not have it */
    enum type type;
    const struct variable *of;
    const char *table_name, *table_of; /* table_of: the file, where both have a table of that name */
    int64_t *cuts;                     /* numbers that it is compared with */
    size_t n_cuts, room_cuts;
    const char **named; /* words that it is compared with */
    size_t n_named, room_named;
    struct space_class *classes;
    size_t n, room, taken; /* taken: how many are varied; n unless there were too many */
    size_t first;          /* of its classes, in a cube */
};

struct space {
    const struct policy *policy[2];
    struct space_dimension *dimensions;
    size_t n, room, n_classes;
    struct eval eval[2];
    unsigned char *member[2];
    size_t profiles; /* that are tried */
    double possible; /* of so many: for people only */
};

void space_begin(struct space *s, const struct policy *before, const struct policy *after);
void space_add(struct space *s, int which, const struct expr *when); /* NULL: nothing */
/* All conditions are in: makes the classes. Where there are more than SPACE_MOST profiles the last dimensions
   are fixed at their first class. */
void space_close(struct space *s);
void space_end(struct space *s);
void space_at(struct space *s, size_t profile); /* both eval are then at it; the tier is left unread */

/* A set of profiles: in each dimension some classes, one byte each. Owned by the caller. */
typedef unsigned char *cube_t;
size_t cube_count(const struct space *s, const unsigned char *cube);
/* Calls visit for each profile of the cube until it says false; whether all said true. */
bool cube_each(const struct space *s, const unsigned char *cube, bool (*visit)(void *arg, size_t profile),
               void *arg);
/* The set as a condition of the language: "kind in { sme, venture } and not ai"; "always". */
void cube_text(const struct space *s, const unsigned char *cube, struct text *out);
/* "request.compute < 67 TF": one dimension; in brackets where it has an "or", unless it stands alone. */
void dimension_text(const struct space_dimension *m, const unsigned char *chosen, bool alone,
                    struct text *out);
