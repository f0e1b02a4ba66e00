/* SPDX-License-Identifier: Apache-2.0 */
/* The pool block: what the pool of the store has, restated. */
#include "policies/parser.h"

#include "alloc/scope.h"

static bool parse_sizes(struct parser *p, struct flavor *f) {
    do {
        int64_t size;
        struct place place = p->now.place;
        if (!parser_room_for(p, f->n_sizes, SIZES_MOST, "sizes of a flavor")) return false;
        if (!parser_need_count(p, "units in one server", 1, SIZE_MOST, &size)) return false;
        if (f->n_sizes > 0 && size <= f->sizes[f->n_sizes - 1]) {
            diagnose(p->d, LEVEL_ERROR, place, "sizes are listed once each, smallest first");
            p->failed = true;
            return false;
        }
        f->sizes[f->n_sizes++] = size;
    } while (parser_take_sign(p, ","));
    return true;
}

static bool parse_rating(struct parser *p, struct flavor *f) {
    struct place place;
    f->unrated = parser_take_word(p, "unrated");
    if (f->unrated) return true;
    if (p->now.kind != TOKEN_NUMBER) {
        static const char *const words[] = {"unrated"};
        return parser_expected_word(p, "an amount of compute (GF TF PF EF) or 'unrated'", words, 1);
    }
    if (!parser_need_amount(p, gflops_scales, &f->rating.n, &place)) return false;
    return f->rating.n > 0 || parser_amount_wrong(p, place, "the rating of a flavor is more than 0");
}

static bool parse_flavor(struct parser *p, struct place place) {
    static const char *const words[] = {"sizes", ";"};
    struct policy *y = p->policy;
    struct flavor f = {0};
    (void)place;
    if (!parser_room_for(p, y->n_flavors, POLICY_FLAVORS, "flavors")) return false;
    if (!parser_need_name(p, "the name of a flavor", &f.name) || !parse_rating(p, &f)) return false;
    if (!parser_need_word(p, "units") || !parser_need_count(p, "a number of units", 0, UNITS_MOST, &f.units))
        return false;
    if (parser_take_word(p, "sizes")) {
        if (!parse_sizes(p, &f)) return false;
    } else {
        f.sizes[f.n_sizes++] = 1;
    }
    if (!parser_take_sign(p, ";")) return parser_expected_one(p, words, 2);
    y->flavors = mem_grow(y->flavors, &p->room_flavors, y->n_flavors + 1, sizeof f);
    y->flavors[y->n_flavors++] = f;
    return true;
}

static bool parse_basis(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    if (y->basis.s) parser_twice(p, place, y->basis.place, "basis");
    return parser_need_name(p, "a precision (fp32, fp16)", &y->basis) && parser_need_sign(p, ";");
}

static bool parse_bytes(struct parser *p, struct place word, const char *what, bool *has, bytes_t *out,
                        struct place *place) {
    if (*has) parser_twice(p, word, *place, what);
    *has = true;
    return parser_need_amount(p, bytes_scales, &out->n, place) && parser_need_sign(p, ";");
}

static bool parse_storage(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    return parse_bytes(p, place, "storage", &y->has_storage, &y->storage, &y->storage_place);
}

static bool parse_datalake(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    return parse_bytes(p, place, "datalake", &y->has_datalake, &y->datalake, &y->datalake_place);
}

static bool parse_saas(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    struct service s = {0};
    (void)place;
    if (!parser_room_for(p, y->n_services, POLICY_SERVICES, "services")) return false;
    if (!parser_need_name(p, "the name of a service", &s.name) || !parser_need_word(p, "seats") ||
        !parser_need_count(p, "a number of seats", 0, UNITS_MOST, &s.seats) || !parser_need_sign(p, ";"))
        return false;
    y->services = mem_grow(y->services, &p->room_services, y->n_services + 1, sizeof s);
    y->services[y->n_services++] = s;
    return true;
}

static bool parse_measures(struct parser *p, struct place place) {
    struct policy *y = p->policy;
    if (y->n_measures > 0) parser_twice(p, place, y->measures[0].place, "measures");
    do {
        struct word w;
        if (!parser_room_for(p, y->n_measures, POLICY_METRICS, "metrics")) return false;
        if (!parser_need_name(p, "the name of a metric", &w)) return false;
        y->measures = mem_grow(y->measures, &p->room_measures, y->n_measures + 1, sizeof w);
        y->measures[y->n_measures++] = w;
    } while (parser_take_sign(p, ","));
    return parser_need_sign(p, ";");
}

static bool parse_pool_item(struct parser *p) {
    static const struct {
        const char *word;
        bool (*parse)(struct parser *p, struct place place); /* place: of the word */
        bool declares;                                       /* rules name it */
    } items[] = {{"basis", parse_basis, false},     {"flavor", parse_flavor, true},
                 {"storage", parse_storage, false}, {"datalake", parse_datalake, false},
                 {"saas", parse_saas, true},        {"measures", parse_measures, false}};
    enum { ITEMS = sizeof items / sizeof *items };
    const char *words[ITEMS + 1];
    struct place place = p->now.place;
    for (size_t i = 0; i < ITEMS; i++) {
        words[i] = items[i].word;
        if (!parser_take_word(p, items[i].word)) continue;
        if (items[i].parse(p, place)) return true;
        p->declared &= !items[i].declares;
        return false;
    }
    words[ITEMS] = "}";
    return parser_expected_one(p, words, ITEMS + 1);
}

bool parse_pool(struct parser *p, struct place place) {
    if (p->has_pool) parser_twice(p, place, p->pool_place, "pool");
    p->has_pool = true;
    p->pool_place = place;
    return parser_need_name(p, "the name of the pool", &p->policy->pool) && parser_block(p, parse_pool_item);
}
