/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/fill_json.h"

#include "alloc/json.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

enum { ID_MOST = 255 };

static int name_cmp(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- reading ---- */

/* Left out, *out stays; null is not left out. */
static int may_int(const struct json_at *object, const char *key, int64_t low, int64_t high, int64_t *out,
                   struct err *e) {
    struct json_at at = json_member(object, key);
    return at.value ? json_as_int(&at, low, high, out, e) : 0;
}

static int read_capacity(const struct json_at *root, struct fill_input *in, struct err *e) {
    static const char *const no_keys[] = {NULL};
    struct json_at capacity;
    const char *key;
    json_t *value;
    size_t n = 0;
    if (json_need_object(root, "capacity", &capacity, e) < 0) return -1;
    if (json_length(&capacity) == 0) return json_only(&capacity, no_keys, e);
    in->resources = mem_alloc(json_length(&capacity) * sizeof *in->resources);
    in->capacity = mem_alloc(json_length(&capacity) * sizeof *in->capacity);
    json_object_foreach((json_t *)capacity.value, key, value) {
        struct json_at at = json_member(&capacity, key);
        int64_t unused;
        if (!text_is_printable(key)) return json_fail(&at, e, "its name holds control characters");
        if (json_as_int(&at, 1, FILL_MOST, &unused, e) < 0) return -1;
        in->resources[n++] = key;
    }
    qsort(in->resources, n, sizeof *in->resources, name_cmp);
    for (size_t i = 0; i < n; i++)
        in->capacity[i] = json_integer_value(json_object_get(capacity.value, in->resources[i]));
    in->problem.capacity = in->capacity;
    in->problem.n_resources = n;
    return 0;
}

static int amount_cmp(const void *a, const void *b) {
    size_t x = ((const struct fill_amount *)a)->resource, y = ((const struct fill_amount *)b)->resource;
    return (x > y) - (x < y);
}

/* Into amounts[], of which *n are taken. */
static int read_step(const struct json_at *claim, struct fill_input *in, size_t *n, struct fill_claim *out,
                     struct err *e) {
    struct json_at step;
    const char *key;
    json_t *value;
    struct fill_amount *amounts = &in->amounts[*n];
    if (json_need_object(claim, "step", &step, e) < 0) return -1;
    json_object_foreach((json_t *)step.value, key, value) {
        struct json_at at = json_member(&step, key);
        const char **name = bsearch(&key, in->resources, in->problem.n_resources, sizeof key, name_cmp);
        int64_t amount;
        if (!name) {
            const char *nearest = text_nearest(key, in->resources, in->problem.n_resources);
            json_fail(&at, e, "is no resource of capacity");
            return nearest ? err_hint(e, "did you mean '%s'?", nearest) : -1;
        }
        if (json_as_int(&at, 0, FILL_MOST, &amount, e) < 0) return -1;
        if (amount > 0) amounts[out->n_step++] = (struct fill_amount){(size_t)(name - in->resources), amount};
    }
    if (out->n_step == 0) return json_fail(&step, e, "must have a positive amount of some resource");
    qsort(amounts, out->n_step, sizeof *amounts, amount_cmp);
    out->step = amounts;
    *n += out->n_step;
    return 0;
}

static int read_most(const struct json_at *claim, struct fill_claim *out, struct err *e) {
    struct json_at at = json_member(claim, "max");
    out->most.has = at.value && !json_is_null(at.value);
    return out->most.has ? json_as_int(&at, 0, FILL_MOST, &out->most.n, e) : 0;
}

static int read_claim(const struct json_at *claim, struct fill_input *in, size_t *n_amounts,
                      struct fill_claim *out, const char **id, struct err *e) {
    static const char *const keys[] = {"id",   "step",    "max",       "weight", "guarantee",
                                       "tier", "credits", "submitted", NULL};
    struct fill_claim c = {.weight = 1};
    if (json_only(claim, keys, e) < 0 || json_need_text(claim, "id", ID_MOST, id, e) < 0 ||
        read_step(claim, in, n_amounts, &c, e) < 0 || read_most(claim, &c, e) < 0 ||
        may_int(claim, "weight", 1, FILL_WEIGHT_MOST, &c.weight, e) < 0 ||
        may_int(claim, "guarantee", 0, FILL_MOST, &c.guarantee, e) < 0 ||
        may_int(claim, "tier", 0, INT64_MAX, &c.tier, e) < 0 ||
        may_int(claim, "credits", INT64_MIN, INT64_MAX, &c.credits, e) < 0 ||
        may_int(claim, "submitted", INT64_MIN, INT64_MAX, &c.submitted, e) < 0)
        return -1;
    *out = c;
    return 0;
}

struct named {
    const char *id;
    size_t place;
};

static int named_cmp(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* The first in the file that has the id of one before it. */
static int refuse_twice(const struct json_at *list, const struct named names[], size_t n, struct err *e) {
    size_t second = n, first = 0;
    for (size_t i = 1; i < n; i++)
        if (names[i].place < second && strcmp(names[i - 1].id, names[i].id) == 0) {
            first = names[i - 1].place;
            second = names[i].place;
        }
    if (second == n) return 0;
    struct json_at item = json_item(list, second), at = json_member(&item, "id");
    return json_fail(&at, e, "\"%s\" is the id of claims[%zu] already", json_string_value(at.value), first);
}

/* Guarantees in the order of the file, read[] being in that order, until one cannot be kept. */
static int refuse_oversold(const struct json_at *list, const struct fill_input *in,
                           const struct fill_claim read[], struct err *e) {
    wide_t *sold = mem_alloc(in->problem.n_resources * sizeof *sold);
    int rc = 0;
    for (size_t i = 0; i < in->problem.n_claims && rc == 0; i++) {
        const struct fill_claim *c = &read[i];
        for (size_t k = 0; k < c->n_step && rc == 0; k++) {
            size_t r = c->step[k].resource;
            sold[r] += (wide_t)fill_promised(c) * c->step[k].n;
            if (sold[r] <= in->capacity[r]) continue;
            struct json_at item = json_item(list, i), at = json_member(&item, "guarantee");
            rc = json_fail(&at, e, "the guarantees up to here need %s of %s, which has %lld",
                           wide_text(sold[r]).s, in->resources[r], (long long)in->capacity[r]);
        }
    }
    free(sold);
    return rc;
}

static size_t count_amounts(const struct json_at *list) {
    size_t n = 0;
    for (size_t i = 0; i < json_length(list); i++)
        n += json_object_size(json_object_get(json_array_get(list->value, i), "step"));
    return n;
}

static int read_claims(const struct json_at *root, struct fill_input *in, struct err *e) {
    struct json_at list;
    size_t n_amounts = 0;
    if (json_need_array(root, "claims", 0, FILL_CLAIMS_MOST, &list, e) < 0) return -1;
    size_t n = in->problem.n_claims = json_length(&list);
    struct fill_claim *read = mem_alloc(n * sizeof *read);
    struct named *names = mem_alloc(n * sizeof *names);
    in->amounts = mem_alloc(count_amounts(&list) * sizeof *in->amounts);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct json_at item = json_item(&list, i);
        rc = read_claim(&item, in, &n_amounts, &read[i], &names[i].id, e);
        names[i].place = i;
    }
    if (rc == 0) qsort(names, n, sizeof *names, named_cmp);
    if (rc == 0) rc = refuse_twice(&list, names, n, e);
    if (rc == 0) rc = refuse_oversold(&list, in, read, e);
    in->claims = mem_alloc(n * sizeof *in->claims);
    in->ids = mem_alloc(n * sizeof *in->ids);
    for (size_t i = 0; i < n && rc == 0; i++) {
        in->claims[i] = read[names[i].place];
        in->ids[i] = names[i].id;
    }
    in->problem.claims = in->claims;
    free(read);
    free(names);
    return rc;
}

static int read_weigh(const struct json_at *root, struct fill_input *in, struct err *e) {
    static const char *const words[] = {"total", "surplus", NULL};
    size_t word = 0;
    if (json_member(root, "weigh").value && json_need_word(root, "weigh", words, &word, e) < 0) return -1;
    in->problem.surplus = word == 1;
    return json_member(root, "strict").value ? json_need_bool(root, "strict", &in->problem.strict, e) : 0;
}

int fill_decode(json_t *document, const char *title, struct fill_input *in, struct err *e) {
    static const char *const keys[] = {"capacity", "weigh", "strict", "claims", NULL};
    struct json_at root = json_root(document, title);
    *in = (struct fill_input){.document = json_incref(document)};
    if (json_only(&root, keys, e) == 0 && read_capacity(&root, in, e) == 0 && read_weigh(&root, in, e) == 0 &&
        read_claims(&root, in, e) == 0)
        return 0;
    fill_input_free(in);
    return -1;
}

void fill_input_free(struct fill_input *in) {
    free(in->resources);
    free(in->ids);
    free(in->capacity);
    free(in->claims);
    free(in->amounts);
    json_decref(in->document);
    *in = (struct fill_input){0};
}

/* ---- printing ---- */

static char *quoted(const char *text) {
    scoped_json json_t *value = json_string(text);
    return json_dumps(value, JSON_ENCODE_ANY);
}

static char **quote_all(const char *const texts[], size_t n) {
    char **all = mem_alloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++) all[i] = quoted(texts[i]);
    return all;
}

static void free_all(char **all, size_t n) {
    for (size_t i = 0; i < n; i++) free(all[i]);
    free(all);
}

static void put(struct text *t, const char *text) { text_put(t, text, strlen(text)); }

static void add_counts(struct text *t, char *const names[], const int64_t counts[], size_t n) {
    for (size_t i = 0; i < n; i++) text_add(t, "%s%s: %lld", i ? ", " : "", names[i], (long long)counts[i]);
}

static void add_shares(struct text *t, const struct fill_input *in, const struct fill_result *r,
                       char *const ids[]) {
    for (size_t i = 0; i < in->problem.n_claims; i++) {
        struct fill_amount step = fill_dominant(&in->problem, r->scarce, i);
        long long held = step.n * r->given[i], capacity = in->capacity[step.resource];
        text_add(t, "%s%s: \"%lld/%lld\"", i ? ", " : "", ids[i], held, capacity);
    }
}

char *fill_encode(const struct fill_input *in, const struct fill_result *r) {
    size_t n = in->problem.n_claims, n_resources = in->problem.n_resources, n_scarce = 0;
    char **ids = quote_all(in->ids, n), **resources = quote_all(in->resources, n_resources);
    struct text t = {0};
    put(&t, "{\"given\": {");
    add_counts(&t, ids, r->given, n);
    put(&t, "}, \"order\": [");
    for (size_t i = 0; i < r->n_order; i++) {
        if (i) put(&t, ", ");
        put(&t, ids[r->order[i]]);
    }
    put(&t, "], \"scarce\": [");
    for (size_t i = 0; i < n_resources; i++) {
        if (!r->scarce[i]) continue;
        if (n_scarce++) put(&t, ", ");
        put(&t, resources[i]);
    }
    put(&t, "], \"shares\": {");
    add_shares(&t, in, r, ids);
    put(&t, "}, \"used\": {");
    add_counts(&t, resources, r->used, n_resources);
    put(&t, "}}");
    free_all(ids, n);
    free_all(resources, n_resources);
    return text_take(&t);
}

char *fill_answer(json_t *document, const char *title, struct err *e) {
    struct fill_input in;
    struct fill_result r;
    char *answer = NULL;
    if (fill_decode(document, title, &in, e) < 0) return NULL;
    if (fill(&in.problem, &r, e) == 0) {
        answer = fill_encode(&in, &r);
        fill_free(&r);
    } else {
        struct json_at root = json_root(document, title);
        json_context(&root, "claims", e);
    }
    fill_input_free(&in);
    return answer;
}
