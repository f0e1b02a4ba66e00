/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/policy.h"

#include "alloc/scope.h"
#include "policies/invariants.h"
#include "policies/plan.h"
#include "policies/reclaim.h"
#include "policies/syntax.h"
#include "policies/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void policy_free(struct policy *policy) {
    if (!policy) return;
    free(policy->flavors);
    free(policy->variables);
    free(policy->tables);
    free(policy->rules);
    free(policy->services);
    free(policy->measures);
    free(policy->tiers);
    free(policy->tier_rules);
    for (size_t i = 0; i < policy->n_ceilings; i++) free(policy->ceilings[i].items);
    free(policy->ceilings);
    free(policy->approves);
    free(policy->leases);
    free(policy->idles);
    free(policy->reserves);
    free(policy->budgets);
    arena_free(&policy->arena);
    free(policy);
}

static struct policy *policy_begin(const struct policy_source *source, struct diagnostics *d) {
    struct policy *policy = mem_alloc(sizeof *policy);
    diagnostics_begin(d, source->file, source->text, source->length);
    policy->file = arena_copy(&policy->arena, source->file, strlen(source->file));
    policy->text = arena_copy(&policy->arena, source->text, source->length);
    policy->length = source->length;
    return policy;
}

struct policy *policy_parse_only(const struct policy_source *source, struct diagnostics *d) {
    struct policy *policy = policy_begin(source, d);
    bool declared, parsed = parse_policy(policy, source, d, &declared);
    diagnostics_sort(d);
    if (parsed && d->count[LEVEL_ERROR] == 0) return policy;
    policy_free(policy);
    return NULL;
}

static struct policy *parse_and_check(const struct policy_source *source, bool warn, struct diagnostics *d) {
    struct policy *policy = policy_begin(source, d);
    bool declared, parsed = parse_policy(policy, source, d, &declared);
    if (declared) check_names(policy, d);
    if (parsed && d->count[LEVEL_ERROR] == 0) check_whole(policy, warn, d);
    diagnostics_sort(d);
    if (parsed && d->count[LEVEL_ERROR] == 0) return policy;
    policy_free(policy);
    return NULL;
}

struct policy *policy_parse(const struct policy_source *source, struct diagnostics *d) {
    return parse_and_check(source, true, d);
}

/* ---- files ---- */

static int file_read(const char *path, size_t most, struct text *out, struct err *e) {
    FILE *f = fopen(path, "rbe");
    if (!f) {
        enum err_code code = errno == ENOENT ? ERR_NOT_FOUND : ERR_FAILED;
        return err_set(e, code, "cannot read %s: %s", path, strerror(errno));
    }
    char buffer[8192];
    size_t n;
    while ((n = fread(buffer, 1, sizeof buffer, f)) > 0 && out->length <= most) text_put(out, buffer, n);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    if (failed) return err_set(e, ERR_FAILED, "cannot read %s: %s", path, strerror(failed));
    if (out->length > most) return err_set(e, ERR_USAGE, "%s has more than %zu bytes", path, most);
    return 0;
}

enum { TABLE_BYTES = 8 << 20 };

static int table_beside(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    const char *path = arg, *slash = strrchr(path, '/');
    (void)name;
    int folder = slash ? (int)(slash - path) + 1 : 0;
    if (!*file || strchr(file, '/') || strcmp(file, "..") == 0)
        return err_set(e, ERR_USAGE, "'%s' must be the name of a file in the folder of the policy", file);
    struct text full = {0};
    text_add(&full, "%.*s%s", folder, path, file);
    int failed = file_read(full.s, TABLE_BYTES, out, e);
    text_free(&full);
    return failed;
}

struct policy *policy_read(const char *path, struct diagnostics *d, struct err *e) {
    struct text text = {0};
    const char *slash = strrchr(path, '/');
    struct policy *policy = NULL;
    if (file_read(path, 2 * (size_t)POLICY_BYTES, &text, e) == 0) {
        char *copy = mem_copy(path);
        struct policy_source source = {slash ? slash + 1 : path, text.s ? text.s : "", text.length,
                                       table_beside, copy};
        policy = policy_parse(&source, d);
        free(copy);
    }
    text_free(&text);
    return policy;
}

/* ---- the stored form ---- */

char *policy_stored(const struct policy *policy, const char *catalogue) {
    scoped_json json_t *root = json_object();
    json_t *tables = json_object();
    for (size_t i = 0; i < policy->n_tables; i++) {
        const struct table *t = &policy->tables[i];
        json_t *list = json_array();
        for (size_t k = 0; k < t->n; k++) json_array_append_new(list, json_string(t->entries[k]));
        json_object_set_new(tables, t->name.s, list);
    }
    json_object_set_new(root, "format", json_integer(1));
    json_object_set_new(root, "name", json_string(policy->name));
    json_object_set_new(root, "version", json_integer(policy->version));
    json_object_set_new(root, "file", json_string(policy->file));
    json_object_set_new(root, "text", json_stringn(policy->text, policy->length));
    json_object_set_new(root, "tables", tables);
    json_object_set_new(root, "catalogue", catalogue ? json_string(catalogue) : json_null());
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) abort(); /* every string was checked to be UTF-8 */
    return text;
}

static int table_stored(void *arg, const char *name, const char *file, struct text *out, struct err *e) {
    const json_t *tables = arg, *list = json_object_get(tables, name);
    size_t i;
    json_t *entry;
    (void)file;
    if (!json_is_array(list)) return err_set(e, ERR_USAGE, "the stored policy has no table '%s'", name);
    json_array_foreach(list, i, entry) {
        const char *s = json_string_value(entry);
        if (!s) return err_set(e, ERR_USAGE, "tables.%s[%zu]: not a string", name, i);
        text_add(out, "%s\n", s);
    }
    return 0;
}

static struct policy *stored_parse(const char *stored, struct err *e) {
    json_error_t wrong;
    scoped_json json_t *root = json_loads(stored, JSON_REJECT_DUPLICATES, &wrong);
    const char *file, *text;
    json_t *tables;
    json_int_t format;
    size_t length;
    if (!root ||
        json_unpack(root, "{s:I, s:s, s:s%, s:o}", "format", &format, "file", &file, "text", &text, &length,
                    "tables", &tables) < 0 ||
        format != 1) {
        err_set(e, ERR_FAILED, "this is not a stored policy");
        return NULL;
    }
    struct policy_source source = {file, text, length, table_stored, tables};
    struct diagnostics d = {0};
    struct policy *policy = parse_and_check(&source, false, &d); /* it was warned of when it was loaded */
    if (!policy) {
        struct text first = {0};
        diagnostics_first(&d, &first);
        err_set(e, ERR_FAILED, "%s", first.s ? first.s : "the stored policy has errors");
        text_free(&first);
    } else {
        policy->stored = arena_copy(&policy->arena, stored, strlen(stored));
    }
    diagnostics_free(&d);
    return policy;
}

/* The last one that was closed: parsing takes longer than most decisions, and who decides often opens the
   same again and again. Nobody has it while it lies here. */
static struct policy *resting;

static struct policy *policy_open(const char *stored, struct err *e) {
    struct policy *policy = resting;
    if (!policy || strcmp(policy->stored, stored) != 0) return stored_parse(stored, e);
    resting = NULL;
    return policy;
}

static void policy_close(struct policy *policy) {
    if (!policy) return;
    policy_free(resting);
    resting = policy;
}

/* ---- what it says ---- */

const char *policy_name(const struct policy *policy) { return policy->name; }
int64_t policy_version(const struct policy *policy) { return policy->version; }
const char *policy_file(const struct policy *policy) { return policy->file; }
const char *policy_pool(const struct policy *policy) { return policy->pool.s; }
const char *policy_basis(const struct policy *policy) { return policy->basis.s; }
bytes_t policy_storage(const struct policy *policy) { return policy->storage; }
bytes_t policy_datalake(const struct policy *policy) { return policy->datalake; }
size_t policy_services(const struct policy *policy) { return policy->n_services; }

struct fact_service policy_service(const struct policy *policy, size_t i) {
    const struct service *s = &policy->services[i];
    return (struct fact_service){.name = s->name.s, .seats = s->seats, .free = s->seats};
}

size_t policy_flavors(const struct policy *policy) { return policy->n_flavors; }

void policy_valid(const struct policy *policy, struct maybe_instant *from, struct maybe_instant *until) {
    *from = policy->valid_from;
    *until = policy->valid_until;
}

struct fact_flavor policy_flavor(const struct policy *policy, size_t i) {
    const struct flavor *f = &policy->flavors[i];
    struct fact_flavor out = {.name = f->name.s,
                              .unrated = f->unrated,
                              .rating = f->rating,
                              .capacity = units(f->units),
                              .free = units(f->units),
                              .n_sizes = f->n_sizes};
    memcpy(out.sizes, f->sizes, sizeof out.sizes);
    return out;
}

static const struct word *rule_find(const struct policy *policy, const char *id) {
    for (size_t i = 0; i < policy_rules(policy); i++) {
        struct any_rule any = policy_rule_at(policy, i);
        if (strcmp(any.id->s, id) == 0) return any.id;
    }
    return NULL;
}

bool policy_rule_place(const struct policy *policy, const char *rule, struct text *place) {
    const struct word *id = rule_find(policy, rule);
    if (id) text_add(place, "%s:%d", policy->file, id->place.line);
    return id != NULL;
}

int policy_check_rule(const struct policy *policy, const char *rule, struct err *e) {
    if (rule_find(policy, rule)) return 0;
    size_t n = policy_rules(policy);
    const char **ids = mem_alloc(n * sizeof *ids);
    for (size_t i = 0; i < n; i++) ids[i] = policy_rule_at(policy, i).id->s;
    const char *near = text_nearest(rule, ids, n);
    struct text all = {0};
    for (size_t i = 0; i < n; i++) text_add(&all, "%s%s", i ? ", " : "", ids[i]);
    err_set(e, ERR_NOT_FOUND, "policy '%s' has no rule '%s'", policy->name, rule);
    if (near)
        err_hint(e, "did you mean '%s'?", near);
    else
        err_hint(e, "it has: %s", all.s);
    text_free(&all);
    free(ids);
    return -1;
}

static enum subject subject_of(enum policy_attr_of of) {
    return of == POLICY_ATTR_TENANT ? SUBJECT_TENANT : SUBJECT_REQUEST;
}

int policy_check_attr(const struct policy *policy, enum policy_attr_of of, const char *name,
                      const char *value, struct err *e) {
    const char *names[VARS_BUILT_IN + POLICY_ATTRS];
    size_t n = 0;
    int64_t unused;
    for (size_t i = VARS_BUILT_IN; i < policy->n_variables; i++) {
        const struct variable *v = &policy->variables[i];
        if (v->of != subject_of(of)) continue;
        if (strcmp(v->name.s, name) == 0) return variable_read(v, value, &unused, e);
        names[n++] = v->name.s;
    }
    const char *near = text_nearest(name, names, n);
    err_set(e, ERR_USAGE, "policy '%s' declares no %s attribute '%s'", policy->name,
            of == POLICY_ATTR_TENANT ? "tenant" : "request", name);
    if (near) err_hint(e, "did you mean '%s'?", near);
    return -1;
}

static void type_text(const struct variable *v, struct text *out) {
    static const char *const words[] = {"bool", "enum", "date", "int", "text"};
    text_add(out, "%s", words[v->type]);
    for (size_t i = 0; i < v->n_values; i++) text_add(out, "%s%s", i ? ", " : " { ", v->values[i].s);
    text_add(out, "%s%s", v->n_values ? " }" : "", v->optional ? "?" : "");
}

bool policy_attr(const struct policy *policy, enum policy_attr_of of, size_t i, const char **name,
                 struct text *type) {
    for (size_t k = VARS_BUILT_IN; k < policy->n_variables; k++) {
        const struct variable *v = &policy->variables[k];
        if (v->of != subject_of(of) || i-- > 0) continue;
        *name = v->name.s;
        type_text(v, type);
        return true;
    }
    return false;
}

/* Without a queue rule an older request keeps what it waits for from a younger one. */
static unsigned policy_needs(const struct policy *policy) {
    return (policy->queue.id.s && policy->queue.order[0] == ORDER_SHARE ? 0U : (unsigned)NEEDS_WAITING) |
           (policy->n_budgets ? (unsigned)NEEDS_SPENT : 0U);
}

const struct decider policy_decider = {.open = policy_open,
                                       .close = policy_close,
                                       .plan = plan_make,
                                       .plan_bare = plan_bare,
                                       .lengthen = plan_lengthen,
                                       .assess = plan_assess,
                                       .needs = policy_needs,
                                       .reclaim = reclaim_decide,
                                       .window = reclaim_window,
                                       .verify = invariants_verify,
                                       .trace = plan_trace};
