/* SPDX-License-Identifier: Apache-2.0 */
/* From the JSON form to the language: declarations and the whole. */
#include "policies/form_text.h"

#include "alloc/scope.h"
#include "policies/print.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a member says ---- */

int form_as_name(const struct json_at *at, const char **out, struct err *e) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *s;
    if (json_as_text(at, POLICY_NAME, &s, e) < 0) return -1;
    size_t n = strlen(s), first = strspn(s, letters);
    while (first > 0 && first < n && (strchr("0123456789_-.", s[first]) || strchr(letters, s[first])))
        first++;
    if (n == 0 || first < n)
        return json_fail(at, e, "must be a name: a letter, then letters, digits, '_', '-' and '.'");
    *out = s;
    return 0;
}

int form_need_name(const struct json_at *object, const char *key, const char **out, struct err *e) {
    struct json_at at = json_member(object, key);
    return form_as_name(&at, out, e);
}

int form_as_string(const struct json_at *at, const char **out, struct err *e) {
    return json_as_text(at, POLICY_TEXT, out, e);
}

void form_put_string(struct text *out, const char *s) {
    text_put(out, "\"", 1);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') text_put(out, "\\", 1);
        text_put(out, s, 1);
    }
    text_put(out, "\"", 1);
}

int form_put_name(const struct json_at *object, const char *key, const char *before, struct text *out,
                  struct err *e) {
    const char *name;
    if (form_need_name(object, key, &name, e) < 0) return -1;
    text_add(out, "%s%s", before, name);
    return 0;
}

int form_put_span(const struct json_at *object, const char *key, const char *before, struct text *out,
                  struct err *e) {
    int64_t s;
    span_t again;
    struct err wrong = {0};
    if (!json_has(object, key)) return 0;
    if (json_need_int(object, key, 0, INSTANT_MOST / 4, &s, e) < 0) return -1;
    struct json_at at = json_member(object, key);
    if (span_parse(span_text(span(s)).s, &again, &wrong) < 0)
        return json_fail(&at, e, "%lld seconds cannot be written as a number of days, hours or minutes",
                         (long long)s);
    text_add(out, " %s %s", before, span_text(span(s)).s);
    return 0;
}

int form_put_count(const struct json_at *object, const char *key, int64_t least, int64_t most,
                   const char *format, struct text *out, struct err *e) {
    int64_t n;
    const char *hash = strchr(format, '#');
    if (!json_has(object, key)) return 0;
    if (json_need_int(object, key, least, most, &n, e) < 0) return -1;
    text_add(out, " %.*s%lld%s", (int)(hash - format), format, (long long)n, hash + 1);
    return 0;
}

int form_put_compute(const struct json_at *object, const char *key, const char *before, struct text *out,
                     struct err *e) {
    gflops_t a;
    if (!json_has(object, key)) return 0;
    if (json_need_gflops(object, key, &a, e) < 0) return -1;
    text_add(out, " %s%s%s", before, *before ? " " : "", gflops_text(a).s);
    return 0;
}

int form_put_bytes(const struct json_at *object, const char *key, const char *before, struct text *out,
                   struct err *e) {
    bytes_t a;
    if (!json_has(object, key)) return 0;
    if (json_need_bytes(object, key, &a, e) < 0) return -1;
    text_add(out, " %s %s", before, bytes_text(a).s);
    return 0;
}

/* amount / factor as a decimal number of at most 19 digits: its value and how many of them are decimals. */
static bool decimal_of(int64_t amount, int64_t factor, int64_t *value, int *decimals) {
    wide_t v = amount;
    for (*decimals = 0; v % factor != 0; v *= 10)
        if (++*decimals > 18) return false;
    if (v / factor > INT64_MAX) return false;
    *value = (int64_t)(v / factor);
    return true;
}

bool form_put_volume(struct text *out, int64_t most, bool storage) {
    const struct amount_scale *scales = storage ? storage_months : compute_hours, *best = NULL;
    int64_t value = 0, v;
    int decimals = 0, d;
    for (const struct amount_scale *s = scales; s->unit; s++) { /* the largest that needs no more decimals */
        if (!decimal_of(most, s->factor, &v, &d) || (best && (d > decimals || v == 0))) continue;
        best = s, value = v, decimals = d;
    }
    if (!best) return false;
    int64_t tens = 1;
    for (int i = 0; i < decimals; i++) tens *= 10;
    text_add(out, "%lld", (long long)(value / tens));
    if (decimals > 0) text_add(out, ".%0*lld", decimals, (long long)(value % tens));
    text_add(out, " %s", best->unit);
    return true;
}

int form_each(const struct json_at *object, const char *key, size_t most, form_item *put, struct text *out,
              struct err *e) {
    struct json_at list;
    if (json_may_array(object, key, most, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        if (json_as_object(&item, e) < 0 || put(&item, out, e) < 0) return -1;
    }
    return 0;
}

/* ---- declarations ---- */

static int put_sizes(const struct json_at *flavor, struct text *out, struct err *e) {
    struct json_at sizes;
    if (json_may_array(flavor, "sizes", SIZES_MOST, &sizes, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&sizes); i++) {
        struct json_at item = json_item(&sizes, i);
        int64_t size;
        if (json_as_int(&item, 1, SIZE_MOST, &size, e) < 0) return -1;
        text_add(out, "%s%lld", i ? ", " : " sizes ", (long long)size);
    }
    return 0;
}

static int put_flavor(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"name", "unrated", "rating_gflops", "units", "sizes", NULL};
    bool unrated = false;
    int64_t units;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "name", "  flavor ", out, e) < 0 ||
        json_may_bool(at, "unrated", &unrated, e) < 0)
        return -1;
    if (unrated == json_has(at, "rating_gflops"))
        return json_fail(at, e, "has either a rating ('rating_gflops') or is 'unrated'");
    if (unrated) text_add(out, " unrated");
    if (form_put_compute(at, "rating_gflops", "", out, e) < 0 ||
        json_need_int(at, "units", 0, UNITS_MOST, &units, e) < 0)
        return -1;
    text_add(out, " units %lld", (long long)units);
    if (put_sizes(at, out, e) < 0) return -1;
    text_add(out, ";\n");
    return 0;
}

static int put_service(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"name", "seats", NULL};
    int64_t seats;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "name", "  saas ", out, e) < 0 ||
        json_need_int(at, "seats", 0, UNITS_MOST, &seats, e) < 0)
        return -1;
    text_add(out, " seats %lld;\n", (long long)seats);
    return 0;
}

/* Names of a list, with what stands before the first and between two. */
static int put_names(const struct json_at *list, const char *before, struct text *out, struct err *e) {
    for (size_t i = 0; i < json_length(list); i++) {
        struct json_at item = json_item(list, i);
        const char *name;
        if (form_as_name(&item, &name, e) < 0) return -1;
        text_add(out, "%s%s", i ? ", " : before, name);
    }
    return 0;
}

static int put_quantity(const struct json_at *pool, const char *key, const char *word, struct text *out,
                        struct err *e) {
    if (!json_has(pool, key)) return 0;
    if (form_put_bytes(pool, key, word, out, e) < 0) return -1;
    text_add(out, ";\n");
    return 0;
}

static int put_pool(const struct json_at *root, struct text *out, struct err *e) {
    static const char *const keys[] = {"name",           "basis",    "flavors",  "storage_bytes",
                                       "datalake_bytes", "services", "measures", NULL};
    struct json_at pool, measures;
    if (json_need_object(root, "pool", &pool, e) < 0 || json_only(&pool, keys, e) < 0 ||
        form_put_name(&pool, "name", "\npool ", out, e) < 0 ||
        form_put_name(&pool, "basis", " {\n  basis ", out, e) < 0)
        return -1;
    text_add(out, ";\n");
    if (form_each(&pool, "flavors", POLICY_FLAVORS, put_flavor, out, e) < 0 ||
        put_quantity(&pool, "storage_bytes", "storage", out, e) < 0 ||
        put_quantity(&pool, "datalake_bytes", "datalake", out, e) < 0 ||
        form_each(&pool, "services", POLICY_SERVICES, put_service, out, e) < 0 ||
        json_may_array(&pool, "measures", POLICY_METRICS, &measures, e) < 0 ||
        put_names(&measures, "  measures ", out, e) < 0)
        return -1;
    text_add(out, "%s}\n\n", json_length(&measures) ? ";\n" : "");
    return 0;
}

static int put_attribute(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"name", "of", "type", "values", "optional", NULL};
    static const char *const types[] = {"bool", "enum", "date", "int", "text", NULL};
    static const char *const subjects[] = {"tenant", "request", NULL};
    size_t type, of = 0;
    bool optional = false;
    struct json_at values;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "name", "attr ", out, e) < 0 ||
        json_need_word(at, "type", types, &type, e) < 0 || json_may_word(at, "of", subjects, &of, e) < 0 ||
        json_may_bool(at, "optional", &optional, e) < 0 ||
        json_may_array(at, "values", POLICY_VALUES, &values, e) < 0)
        return -1;
    bool is_enum = strcmp(types[type], "enum") == 0;
    if (is_enum != (json_length(&values) > 0))
        return json_fail(at, e, "'values' are for an enum, which needs some");
    text_add(out, " : %s", types[type]);
    if (put_names(&values, " { ", out, e) < 0) return -1;
    text_add(out, "%s%s%s;\n", is_enum ? " }" : "", optional ? "?" : "", of ? " of request" : "");
    return 0;
}

static int put_table(const struct json_at *at, struct text *out, struct err *e) {
    static const char *const keys[] = {"name", "entries", NULL};
    struct json_at entries;
    if (json_only(at, keys, e) < 0 || form_put_name(at, "name", "\ntable ", out, e) < 0 ||
        json_may_array(at, "entries", TABLE_ENTRIES, &entries, e) < 0)
        return -1;
    text_add(out, " {");
    for (size_t i = 0; i < json_length(&entries); i++) {
        struct json_at item = json_item(&entries, i);
        const char *s;
        if (form_as_string(&item, &s, e) < 0) return -1;
        text_add(out, "%s", i ? ", " : " ");
        form_put_string(out, s);
    }
    text_add(out, " };\n");
    return 0;
}

/* ---- the whole ---- */

static int put_day(const struct json_at *root, const char *key, const char *word, struct text *out,
                   struct err *e) {
    const char *day;
    instant_t end;
    if (!json_has(root, key)) return 0;
    if (json_need_text(root, key, 10, &day, e) < 0) return -1;
    if (date_parse(day, &end, e) < 0) return json_context(root, key, e);
    text_add(out, " %s %s", word, day);
    return 0;
}

static int put_head(const struct json_at *root, struct text *out, struct err *e) {
    const char *name;
    int64_t version, format;
    if (json_need_int(root, "format", 1, 1, &format, e) < 0 ||
        json_need_text(root, "name", POLICY_NAME, &name, e) < 0 ||
        json_need_int(root, "version", 1, 1000000000, &version, e) < 0)
        return -1;
    text_add(out, "policy ");
    form_put_string(out, name);
    text_add(out, " version %lld", (long long)version);
    if (json_has(root, "valid_from") || json_has(root, "valid_until")) text_add(out, " valid");
    if (put_day(root, "valid_from", "from", out, e) < 0 || put_day(root, "valid_until", "until", out, e) < 0)
        return -1;
    text_add(out, ";\n");
    return 0;
}

static int put_expect(const struct json_at *root, struct text *out, struct err *e) {
    if (!json_has(root, "expect_tenants")) return 0;
    text_add(out, "expect");
    return form_put_count(root, "expect_tenants", 1, 1000000, "# tenants;\n\n", out, e);
}

static int put_all(const struct json_at *root, struct text *out, struct err *e) {
    static const char *const keys[] = {"format", "name",           "version",    "valid_from", "valid_until",
                                       "pool",   "expect_tenants", "attributes", "tables",     "eligible",
                                       "tiers",  "ceilings",       "approvals",  "leases",     "queue",
                                       "borrow", "idle",           "reserves",   "budgets",    NULL};
    if (json_as_object(root, e) < 0 || json_only(root, keys, e) < 0 || put_head(root, out, e) < 0 ||
        put_pool(root, out, e) < 0 || put_expect(root, out, e) < 0 ||
        form_each(root, "attributes", POLICY_ATTRS, put_attribute, out, e) < 0 ||
        form_each(root, "tables", POLICY_TABLES, put_table, out, e) < 0)
        return -1;
    return form_put_rules(root, out, e);
}

/* As it lies when it cannot be parsed: the parser then says why, with this text before it. */
int policy_form_text(const json_t *form, const char *title, struct text *out, struct err *e) {
    struct json_at root = json_root(form, title);
    scoped_text struct text plain = {0};
    if (put_all(&root, &plain, e) < 0) return -1;
    struct policy_source source = {"form", plain.s, plain.length, NULL, NULL};
    struct diagnostics *d = mem_alloc(sizeof *d);
    if (!policy_print(&source, out, d)) {
        text_free(out);
        text_put(out, plain.s, plain.length);
    }
    diagnostics_free(d);
    free(d);
    return 0;
}
