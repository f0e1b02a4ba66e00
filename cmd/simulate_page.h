/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the files of the page of a simulation call each other: simulate_page.c has its order and the companies,
 * simulate_page_lists.c the lists, simulate_page_parts.c the style sheet, numbers as people read them and the
 * pieces of HTML. Text is escaped in page_heading(), page_sentence(), page_table() and page_metric();
 * page_put() writes what it is given.
 */
#pragma once
#include "cmd/simulate.h"

struct page {
    struct text out;
    const struct simulated *a, *b;
    bool korean;
};

enum shown { SHOWN_COUNT, SHOWN_COMPUTE, SHOWN_DAYS, SHOWN_TEXT, SHOWN_WHY, SHOWN_RATIO };

enum { LISTED = 12 }; /* rows of a list: the first ones, or the first and the last */

extern const char page_style[];
const char *page_say(const struct page *p, const char *en, const char *ko); /* in the language of the page */
void page_put(struct page *p, const char *text);

void page_number(int64_t n, struct text *out);           /* 1,234,567 */
void page_compute(int64_t gf, struct text *out);         /* GFLOPS as TF or PF with one decimal */
void page_percent(int64_t millionths, struct text *out); /* whole percent */

/* A number of the measures at path, and one that is a member of an object at prefix. */
void page_metric(struct page *p, const char *path, const json_t *value, enum shown as);
void page_member(struct page *p, const char *prefix, const json_t *object, const char *key, enum shown as);

/* A row for each of the first `most` members of a list of the measures. A cell is a number or word of the
   member, or what `put` makes of it; one of words stands to the left. The cells end with a zeroed one. */
struct page_cell {
    const char *key;
    enum shown as;
    bool is_words;
    void (*put)(struct page *p, const json_t *row);
};
void page_rows(struct page *p, const char *list, const struct page_cell *cells, size_t most);

void page_heading(struct page *p, const char *en, const char *ko);
void page_sentence(struct page *p, const char *class, const char *en, const char *ko);
/* titles: pairs (English, Korean), then NULL; a column whose title begins with '<' is one of words. */
void page_table(struct page *p, const char *const titles[]);
void page_table_end(struct page *p);

/* simulate_page_lists.c */
void page_reasons(struct page *p);
void page_reclaims(struct page *p);
void page_calls(struct page *p);  /* nothing without a call */
void page_offers(struct page *p); /* nothing without an offer or an exchange */
void page_rules(struct page *p);
void page_compare(struct page *p); /* nothing without another policy */
