/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a checker has to say about a text: errors, warnings and notes, each with a place. Several are
 * collected before giving up; each kind is kept up to DIAGNOSTICS_MOST, the rest only counted.
 * Printed as  file:line:column: error: message, then the source line with the place marked; where two
 * things clash the other place follows as a note. Columns count characters, from 1.
 * The object owns copies of everything; it starts zeroed and ends with diagnostics_free().
 */
#pragma once
#include "alloc/text.h"

enum { DIAGNOSTICS_MOST = 20 };

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTE, LEVELS };

/* A run of bytes of the source; length 0 marks one character (an end of file). */
struct place {
    size_t at, length;
    int line;
};

struct diagnostic {
    enum level level;
    struct place place;
    char *message;
    bool has_other; /* a second place that it clashes with */
    struct place other;
    char *other_message;
};

struct diagnostics {
    char *file, *source;
    struct diagnostic items[LEVELS * DIAGNOSTICS_MOST];
    size_t n, count[LEVELS]; /* count: seen, including what was not kept */
};

void diagnostics_begin(struct diagnostics *d, const char *file, const char *source, size_t length);
void diagnose(struct diagnostics *d, enum level level, struct place place, const char *format, ...)
    ERR_FORMAT(4, 5);
/* As diagnose(), and marks `other` too ("first named here"). */
void diagnose_clash(struct diagnostics *d, enum level level, struct place place, struct place other,
                    const char *other_message, const char *format, ...) ERR_FORMAT(6, 7);
void diagnostics_sort(struct diagnostics *d); /* by place, errors first at one place */
void diagnostics_print(const struct diagnostics *d, struct text *out);
/* Without the notes: for commands that are not asked for them. */
void diagnostics_print_serious(const struct diagnostics *d, struct text *out);
/* "file:line:column: message" of the first error, for one-line messages. */
void diagnostics_first(const struct diagnostics *d, struct text *out);
int place_column(const struct diagnostics *d, struct place place);
void diagnostics_free(struct diagnostics *d);
