/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/request.h"

#include "alloc/grant.h"

#include <string.h>

/* An amount written as text; absent leaves it. 1 there, 0 not, -1. */
static int may_compute(const struct json_at *at, const char *key, gflops_t *out, struct err *e) {
    const char *text = NULL;
    if (json_may_text(at, key, 64, &text, e) < 0) return -1;
    if (!text) return 0;
    return gflops_parse(text, out, e) < 0 ? json_context(at, key, e) : 1;
}

static int decode_ask(const struct json_at *at, struct request_new *n, struct err *e) {
    if (json_may_int(at, "units", 1, UNITS_MOST, &n->units.n, e) < 0) return -1;
    int has_compute = may_compute(at, "compute", &n->compute, e);
    if (has_compute < 0) return -1;
    if (has_compute && n->units.n) return json_fail(at, e, "units and compute exclude each other");
    n->ask = n->units.n ? ASK_UNITS : has_compute ? ASK_COMPUTE : ASK_NONE;
    struct json_at minimum = json_member(at, "minimum");
    if (!json_has(at, "minimum")) return 0;
    n->has_minimum = true;
    if (n->ask == ASK_UNITS) return json_as_int(&minimum, 1, UNITS_MOST, &n->minimum_units.n, e);
    return may_compute(at, "minimum", &n->minimum_compute, e) < 0 ? -1 : 0;
}

static int decode_end(const struct json_at *at, struct request_new *n, struct err *e) {
    const char *length = NULL, *until = NULL;
    if (json_may_text(at, "for", 32, &length, e) < 0 || json_may_text(at, "until", 32, &until, e) < 0)
        return -1;
    if (length && until) return json_fail(at, e, "\"for\" and \"until\" exclude each other");
    if (length && span_parse(length, &n->term, e) < 0) return json_context(at, "for", e);
    if (length && n->term.s == 0) return json_fail(at, e, "\"for\" must be longer than nothing");
    if (!until) return 0;
    n->until.has = true;
    return instant_or_date_parse(until, &n->until.at, e) < 0 ? json_context(at, "until", e) : 0;
}

static int decode_attrs(const struct json_at *at, struct request_new *n, struct err *e) {
    struct json_at attrs;
    if (json_may_object(at, "attributes", &attrs, e) < 0) return -1;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)attrs.value, key, value) {
        if (n->n_attrs == REQUEST_ATTRS_MOST)
            return json_fail(&attrs, e, "more than %d attributes", REQUEST_ATTRS_MOST);
        struct fact_attr *a = &n->attrs[n->n_attrs++];
        a->name = key;
        if (json_need_text(&attrs, key, 256, &a->value, e) < 0) return -1;
    }
    return 0;
}

static int decode_seats(const struct json_at *at, struct request_new *n, struct err *e) {
    struct json_at seats;
    const char *key;
    json_t *value;
    if (json_may_object(at, "seats", &seats, e) < 0) return -1;
    json_object_foreach((json_t *)seats.value, key, value) {
        if (n->n_seats == SERVICES_MOST)
            return json_fail(&seats, e, "seats of more than %d services", SERVICES_MOST);
        struct fact_seats *s = &n->seats[n->n_seats++];
        s->service = key;
        if (json_need_int(&seats, key, 1, UNITS_MOST, &s->seats, e) < 0) return -1;
    }
    return 0;
}

/* An amount of bytes written as text; absent is none. */
static int decode_bytes(const struct json_at *at, const char *key, bytes_t *out, struct err *e) {
    const char *text = NULL;
    if (json_may_text(at, key, 64, &text, e) < 0) return -1;
    return text && bytes_parse(text, out, e) < 0 ? json_context(at, key, e) : 0;
}

static int decode_replaces(const struct json_at *at, struct request_new *n, struct err *e) {
    const char *grant = NULL;
    if (json_may_text(at, "replaces", 32, &grant, e) < 0) return -1;
    return grant && number_parse(grant, 'g', &n->replaces, e) < 0 ? json_context(at, "replaces", e) : 0;
}

int request_decode(const struct json_at *at, const char *tenant, struct request_new *out, struct err *e) {
    static const char *const keys[] = {"tenant",   "pool",       "purpose", "flavor",   "units", "compute",
                                       "minimum",  "per_server", "storage", "for",      "until", "attributes",
                                       "datalake", "seats",      "call",    "replaces", NULL};
    struct request_new n = {.purpose = "", .tenant = tenant};
    const char *named = NULL;
    if (json_as_object(at, e) < 0 || json_only(at, keys, e) < 0 ||
        json_may_text(at, "tenant", 64, &named, e) < 0 || json_may_text(at, "pool", 64, &n.pool, e) < 0 ||
        json_may_text(at, "purpose", 1000, &n.purpose, e) < 0 ||
        json_may_text(at, "flavor", 64, &n.flavor, e) < 0 || json_may_text(at, "call", 64, &n.call, e) < 0 ||
        decode_replaces(at, &n, e) < 0 || decode_bytes(at, "storage", &n.storage, e) < 0 ||
        decode_bytes(at, "datalake", &n.datalake, e) < 0 || decode_seats(at, &n, e) < 0 ||
        json_may_int(at, "per_server", 1, UNITS_MOST, &n.per_server, e) < 0 || decode_ask(at, &n, e) < 0 ||
        decode_end(at, &n, e) < 0 || decode_attrs(at, &n, e) < 0)
        return -1;
    if (tenant && named && strcmp(tenant, named) != 0)
        return json_fail(at, e, "you are %s and cannot ask for another tenant", tenant);
    if (!tenant && !named) return json_fail(at, e, "\"tenant\" is missing");
    if (!tenant) n.tenant = named;
    if (n.flavor && strcmp(n.flavor, "any") == 0) n.flavor = NULL;
    if (request_check(&n, e) < 0) {
        struct text where = {0};
        json_path(at, &where);
        if (where.length) err_context(e, "%s", where.s);
        text_free(&where);
        return -1;
    }
    *out = n;
    return 0;
}

int request_check(const struct request_new *n, struct err *e) {
    if (n->override_rule && (!n->until.has || n->until.at.s > n->override_until.at.s))
        return err_set(e, ERR_USAGE, "a grant over a rule ends with the exception: %s or before",
                       end_text(n->override_until.at).s);
    if (n->ask == ASK_NONE && n->storage.n == 0 && n->datalake.n == 0 && n->n_seats == 0) {
        err_set(e, ERR_USAGE, "nothing is asked for");
        return err_hint(
            e,
            "ask for units of a flavor, for compute (124.8 TF), for storage (10 TB), a data lake or seats");
    }
    if (n->ask == ASK_COMPUTE && n->compute.n == 0)
        return err_set(e, ERR_USAGE, "0 TF is not a request for compute");
    if (n->ask == ASK_UNITS && !n->flavor) {
        err_set(e, ERR_USAGE, "units of which flavor?");
        return err_hint(e, "units are cards of one flavor; ask in TF when any flavor will do");
    }
    if (n->ask == ASK_NONE && (n->flavor || n->per_server || n->has_minimum))
        return err_set(e, ERR_USAGE,
                       "a flavor, a minimum or units per server belong to a request for compute");
    if (n->has_minimum && (n->ask == ASK_UNITS ? n->minimum_units.n : n->minimum_compute.n) == 0)
        return err_set(
            e, ERR_USAGE,
            "a minimum of 0 is no minimum: leave it out and ask for storage alone, or name one step");
    if (n->has_minimum &&
        (n->ask == ASK_UNITS ? n->minimum_units.n > n->units.n : n->minimum_compute.n > n->compute.n))
        return err_set(e, ERR_USAGE, "the minimum is more than what is asked for");
    if (n->per_server && n->ask == ASK_UNITS && n->units.n % n->per_server != 0)
        return err_set(e, ERR_USAGE, "%lld units are not a whole number of servers of %lld",
                       (long long)n->units.n, (long long)n->per_server);
    return 0;
}
