/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions back from the JSON in which they were stored. */
#include "alloc/facts.h"
#include "alloc/json.h"

#include <string.h>

enum { TEXT_BYTES = 1 << 16, NAME_BYTES = 256 };

static int need_copy(const struct json_at *at, const char *key, char **out, struct err *e) {
    const char *text;
    if (json_need_text(at, key, TEXT_BYTES, &text, e) < 0) return -1;
    *out = mem_copy(text);
    return 0;
}

static int may_copy(const struct json_at *at, const char *key, char **out, struct err *e) {
    const char *text = NULL;
    if (json_may_text(at, key, TEXT_BYTES, &text, e) < 0) return -1;
    *out = mem_copy(text);
    return 0;
}

static int lines_decode(const struct json_at *owner, struct plan_line **out, size_t *n, struct err *e) {
    static const char *const keys[] = {"flavor", "size", "count", "rating_gflops", NULL};
    struct json_at list;
    if (json_need_array(owner, "lines", 0, SERVERS_MOST, &list, e) < 0) return -1;
    size_t count = json_length(&list);
    *out = mem_alloc((count + 1) * sizeof **out);
    for (; *n < count; ++*n) {
        struct json_at item = json_item(&list, *n);
        struct plan_line *l = &(*out)[*n];
        if (json_only(&item, keys, e) < 0 || json_need_int(&item, "size", 1, UNITS_MOST, &l->size, e) < 0 ||
            json_need_int(&item, "count", 1, UNITS_MOST, &l->count, e) < 0 ||
            json_may_gflops(&item, "rating_gflops", &l->rating, e) < 0 ||
            need_copy(&item, "flavor", &l->flavor, e) < 0)
            return -1;
    }
    return 0;
}

static int lease_decode(const struct json_at *owner, struct lease_terms *out, struct err *e) {
    static const char *const keys[] = {"start",        "end",      "notice_seconds", "grace_seconds",
                                       "keep_seconds", "renewals", "renew_seconds",  NULL};
    struct json_at at;
    if (json_may_object(owner, "lease", &at, e) < 0) return -1;
    if (!json_has(owner, "lease")) return 0;
    if (json_only(&at, keys, e) < 0 || json_need_instant(&at, "start", &out->start, e) < 0 ||
        json_need_instant(&at, "end", &out->end, e) < 0 ||
        json_need_int(&at, "notice_seconds", 0, INSTANT_MOST, &out->notice.s, e) < 0 ||
        json_need_int(&at, "grace_seconds", 0, INSTANT_MOST, &out->grace.s, e) < 0 ||
        json_need_int(&at, "keep_seconds", 0, INSTANT_MOST, &out->keep.s, e) < 0 ||
        json_need_int(&at, "renewals", 0, UNITS_MOST, &out->renewals, e) < 0)
        return -1;
    return json_need_int(&at, "renew_seconds", 0, INSTANT_MOST, &out->renew_term.s, e);
}

static int item_limits_decode(const struct json_at *owner, struct plan_limits *out, struct err *e) {
    static const char *const keys[] = {"item", "most", "organisation", NULL};
    struct json_at list;
    if (json_may_array(owner, "items", NAME_BYTES, &list, e) < 0) return -1;
    size_t n = json_length(&list);
    if (n) out->items = mem_alloc(n * sizeof *out->items);
    for (; out->n_items < n; out->n_items++) {
        struct json_at item = json_item(&list, out->n_items);
        struct plan_item_limit *l = &out->items[out->n_items];
        l->has = json_has(&item, "most");
        l->has_organisation = json_has(&item, "organisation");
        if (json_only(&item, keys, e) < 0 || json_may_int(&item, "most", 0, BYTES_MOST, &l->most, e) < 0 ||
            json_may_int(&item, "organisation", 0, BYTES_MOST, &l->organisation, e) < 0 ||
            need_copy(&item, "item", &l->item, e) < 0)
            return -1;
    }
    return 0;
}

static int limits_decode(const struct json_at *owner, struct plan_limits *out, struct err *e) {
    static const char *const keys[] = {"compute_gflops",     "storage_bytes", "organisation_gflops",
                                       "organisation_bytes", "items",         NULL};
    struct json_at at;
    if (json_need_object(owner, "limits", &at, e) < 0 || json_only(&at, keys, e) < 0 ||
        json_may_gflops(&at, "compute_gflops", &out->compute, e) < 0 ||
        json_may_bytes(&at, "storage_bytes", &out->storage, e) < 0 ||
        json_may_gflops(&at, "organisation_gflops", &out->organisation_compute, e) < 0 ||
        json_may_bytes(&at, "organisation_bytes", &out->organisation_storage, e) < 0)
        return -1;
    out->has_compute = json_has(&at, "compute_gflops");
    out->has_storage = json_has(&at, "storage_bytes");
    out->has_organisation_compute = json_has(&at, "organisation_gflops");
    out->has_organisation_storage = json_has(&at, "organisation_bytes");
    return item_limits_decode(&at, out, e);
}

static int seats_decode(const struct json_at *owner, struct plan_seats **out, size_t *n, struct err *e) {
    struct json_at list;
    const char *name;
    json_t *value;
    if (json_may_object(owner, "seats", &list, e) < 0) return -1;
    if (!json_has(owner, "seats")) return 0;
    *out = mem_alloc((json_length(&list) + 1) * sizeof **out);
    json_object_foreach((json_t *)list.value, name, value) {
        struct plan_seats *s = &(*out)[*n];
        if (json_need_int(&list, name, 1, UNITS_MOST, &s->seats, e) < 0) return -1;
        s->service = mem_copy(name);
        ++*n;
    }
    return 0;
}

static int offer_decode(const struct json_at *owner, struct plan_offer *out, struct err *e) {
    static const char *const keys[] = {
        "lines", "compute_gflops", "storage_bytes", "datalake_bytes", "seats", "until", NULL};
    struct json_at at;
    if (json_may_object(owner, "offer", &at, e) < 0) return -1;
    if (!json_has(owner, "offer")) return 0;
    out->has = true;
    out->until.has = json_has(&at, "until");
    if (json_only(&at, keys, e) < 0 || json_may_instant(&at, "until", &out->until.at, e) < 0 ||
        json_need_gflops(&at, "compute_gflops", &out->compute, e) < 0 ||
        json_need_bytes(&at, "storage_bytes", &out->storage, e) < 0 ||
        json_may_bytes(&at, "datalake_bytes", &out->datalake, e) < 0 ||
        seats_decode(&at, &out->seats, &out->n_seats, e) < 0)
        return -1;
    return lines_decode(&at, &out->lines, &out->n_lines, e);
}

static int earliest_decode(const struct json_at *owner, struct plan_earliest *out, struct err *e) {
    static const char *const keys[] = {"at", "grant", "notice", NULL};
    struct json_at at;
    if (json_may_object(owner, "earliest", &at, e) < 0) return -1;
    if (!json_has(owner, "earliest")) return 0;
    out->at.has = true;
    if (json_only(&at, keys, e) < 0 || json_need_instant(&at, "at", &out->at.at, e) < 0) return -1;
    return may_copy(&at, "grant", &out->grant, e) < 0 ? -1 : may_copy(&at, "notice", &out->notice, e);
}

static int standing_decode(const struct json_at *owner, struct plan_standing *out, struct err *e) {
    static const char *const keys[] = {
        "tier",    "rule", "lifted", "rank", "weight", "guarantee_gflops", "held_gflops", "capacity_gflops",
        "credits", NULL};
    struct json_at at;
    if (json_may_object(owner, "standing", &at, e) < 0) return -1;
    if (!json_has(owner, "standing")) return 0;
    if (json_only(&at, keys, e) < 0 || json_may_bool(&at, "lifted", &out->lifted, e) < 0 ||
        json_need_int(&at, "rank", 0, INT64_MAX, &out->rank, e) < 0 ||
        json_need_int(&at, "weight", 0, INT64_MAX, &out->weight, e) < 0 ||
        json_need_gflops(&at, "guarantee_gflops", &out->guarantee, e) < 0 ||
        json_need_int(&at, "held_gflops", INT64_MIN, INT64_MAX, &out->held_gflops, e) < 0 ||
        json_need_int(&at, "capacity_gflops", INT64_MIN, INT64_MAX, &out->capacity_gflops, e) < 0 ||
        json_need_int(&at, "credits", INT64_MIN, INT64_MAX, &out->credits, e) < 0 ||
        may_copy(&at, "tier", &out->tier, e) < 0)
        return -1;
    return may_copy(&at, "rule", &out->rule, e);
}

static int code_decode(const struct json_at *at, enum reason_code *out, struct err *e) {
    const char *words[REASON_CODES + 1] = {NULL};
    size_t code;
    for (int i = 0; i < REASON_CODES; i++) words[i] = reason_code_word((enum reason_code)i);
    if (json_need_word(at, "code", words, &code, e) < 0) return -1;
    *out = (enum reason_code)code;
    return 0;
}

static int reasons_decode(const struct json_at *owner, struct decision *out, struct err *e) {
    static const char *const keys[] = {"code",    "rule",    "place",    "en", "ko",
                                       "hint_en", "hint_ko", "decisive", NULL};
    struct json_at list;
    if (json_need_array(owner, "reasons", 0, NAME_BYTES, &list, e) < 0) return -1;
    size_t n = json_length(&list);
    out->reasons = mem_alloc((n + 1) * sizeof *out->reasons);
    for (; out->n_reasons < n; out->n_reasons++) {
        struct json_at item = json_item(&list, out->n_reasons);
        struct reason *r = &out->reasons[out->n_reasons];
        if (json_only(&item, keys, e) < 0 || code_decode(&item, &r->code, e) < 0 ||
            json_need_bool(&item, "decisive", &r->decisive, e) < 0)
            return -1;
        const char *const texts[] = {"rule", "place", "en", "ko", "hint_en", "hint_ko"};
        char **const to[] = {&r->rule, &r->place, &r->en, &r->ko, &r->hint_en, &r->hint_ko};
        for (size_t i = 0; i < 6; i++)
            if (may_copy(&item, texts[i], to[i], e) < 0) return out->n_reasons++, -1;
    }
    return 0;
}

static int parts_decode(const struct json_at *at, struct decision *d, struct err *e) {
    static const char *const keys[] = {
        "claim",    "outcome",  "compute_gflops", "storage_bytes",   "datalake_bytes", "seats",
        "lines",    "lease",    "limits",         "position",        "ahead_gflops",   "offer",
        "earliest", "standing", "is_barrier",     "needs_agreement", "reasons",        NULL};
    static const char *const outcomes[] = {"granted", "partial", "queued", "held", "denied", NULL};
    size_t outcome;
    if (json_only(at, keys, e) < 0 || json_need_word(at, "outcome", outcomes, &outcome, e) < 0 ||
        need_copy(at, "claim", &d->claim, e) < 0 ||
        json_need_gflops(at, "compute_gflops", &d->compute, e) < 0 ||
        json_need_bytes(at, "storage_bytes", &d->storage, e) < 0 ||
        json_may_bytes(at, "datalake_bytes", &d->datalake, e) < 0 ||
        seats_decode(at, &d->seats, &d->n_seats, e) < 0 || lines_decode(at, &d->lines, &d->n_lines, e) < 0 ||
        lease_decode(at, &d->lease, e) < 0 || limits_decode(at, &d->limits, e) < 0 ||
        json_may_int(at, "position", 0, INT64_MAX, &d->position, e) < 0 ||
        json_may_int(at, "ahead_gflops", 0, INT64_MAX, &d->ahead_compute.n, e) < 0 ||
        offer_decode(at, &d->offer, e) < 0 || earliest_decode(at, &d->earliest, e) < 0 ||
        standing_decode(at, &d->standing, e) < 0 || json_may_bool(at, "is_barrier", &d->is_barrier, e) < 0 ||
        json_may_bool(at, "needs_agreement", &d->needs_agreement, e) < 0)
        return -1;
    d->outcome = (enum outcome)outcome;
    return reasons_decode(at, d, e);
}

int decision_decode(const json_t *document, struct decision *out, struct err *e) {
    struct json_at root = json_root(document, "decision");
    *out = (struct decision){0};
    if (json_as_object(&root, e) == 0 && parts_decode(&root, out, e) == 0) return 0;
    decision_free(out);
    *out = (struct decision){0};
    return -1;
}
