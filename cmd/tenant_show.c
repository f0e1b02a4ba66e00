/* SPDX-License-Identifier: Apache-2.0 */
/* allot tenant show, list: what stands. */
#include "alloc/amount.h"
#include "alloc/scope.h"
#include "alloc/standing.h"
#include "alloc/tenant_file.h"
#include "cmd/output.h"
#include "cmd/tenant.h"

#include <string.h>

static bool is_json_wanted(const struct call *call) { return strcmp(call->format, "json") == 0; }

/* {"seat": "gwangju"} as people read it: ["seat=gwangju"]. */
static json_t *attrs_shown(const struct tenant *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_attrs; i++)
        json_array_append_new(list, json_sprintf("%s=%s", t->attrs[i].name, t->attrs[i].value));
    return list;
}

static json_t *contacts_shown(const struct tenant *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_contacts; i++) {
        scoped_text struct text words = {0};
        tenant_contact_text(&t->contacts[i], &words);
        json_array_append_new(list, json_string(words.s));
    }
    return list;
}

/* The type and comment say whose it is; the fingerprint is the key's name. */
static json_t *keys_shown(const struct tenant *t, bool whole) {
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_keys; i++) {
        const struct tenant_key *key = &t->keys[i];
        const char *comment = strchr(strchr(key->line, ' ') + 1, ' ');
        json_array_append_new(
            list, whole ? json_pack("{s:s, s:s}", "fingerprint", key->fingerprint, "line", key->line)
                        : json_sprintf("%s %.*s%s", key->fingerprint, (int)strcspn(key->line, " "), key->line,
                                       comment ? comment : ""));
    }
    return list;
}

/* ---- show ---- */

static json_t *holdings(struct store *s, int64_t tenant, struct err *e) {
    return sql_json(s, e,
                    "SELECT p.name AS pool, p.basis AS basis, c.compute_gflops, c.compute_limit_gflops, "
                    "c.storage_bytes, c.storage_limit_bytes FROM ceiling c JOIN pool p ON p.id = c.pool "
                    "WHERE c.scope = 'tenant' AND c.owner = $1 ORDER BY p.name",
                    "i", tenant);
}

static json_t *holdings_shown(const json_t *rows) {
    json_t *list = json_array();
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        json_int_t compute = json_integer_value(json_object_get(row, "compute_gflops"));
        json_int_t storage = json_integer_value(json_object_get(row, "storage_bytes"));
        json_array_append_new(list, json_sprintf("%s: %s %s and %s",
                                                 json_string_value(json_object_get(row, "pool")),
                                                 gflops_text(gflops(compute)).s,
                                                 json_string_value(json_object_get(row, "basis")),
                                                 bytes_text(bytes(storage)).s));
    }
    return list;
}

/* "gj: gwangju (T1), weight 4, guarantee 62.4 TF, credits 12 TF-days" */
static json_t *standing_shown(const json_t *rows) {
    json_t *list = json_array(), *row;
    size_t i;
    json_array_foreach(rows, i, row) {
        const char *tier = json_string_value(json_object_get(row, "tier")),
                   *rule = json_string_value(json_object_get(row, "rule"));
        scoped_text struct text words = {0};
        text_add(&words, "%s: ", json_string_value(json_object_get(row, "pool")));
        if (!json_is_true(json_object_get(row, "eligible")))
            text_add(&words, "not eligible");
        else if (tier)
            text_add(&words, "%s (%s)", tier, rule ? rule : "");
        else
            text_add(&words, "no tier");
        text_add(&words, ", weight %lld, guarantee %s",
                 (long long)json_integer_value(json_object_get(row, "weight")),
                 gflops_text(gflops(json_integer_value(json_object_get(row, "guarantee_gflops")))).s);
        json_int_t credits = json_integer_value(json_object_get(row, "credits"));
        if (credits) text_add(&words, ", credits %lld TF-days", (long long)credits);
        json_array_append_new(list, json_string(words.s));
    }
    return list;
}

static int state_reason(struct store *s, int64_t tenant, json_t *out, struct err *e) {
    scoped_free char *detail = NULL;
    int rc =
        sql_text(s, e, &detail,
                 "SELECT d.detail FROM entry e JOIN entry_detail d ON d.seq = e.seq WHERE e.tenant = $1 AND "
                 "e.kind IN ('tenant.suspend', 'tenant.resume', 'tenant.close') ORDER BY e.seq DESC LIMIT 1",
                 "i", tenant);
    if (rc <= 0) return rc;
    scoped_json json_t *words = json_loads(detail, 0, NULL);
    json_t *reason = json_object_get(words, "reason");
    if (reason) json_object_set(out, "reason", reason);
    return 0;
}

static const struct column show_columns[] = {{"name", "tenant", CELL_TEXT, false},
                                             {"state", "state", CELL_STATE, false},
                                             {"reason", "reason", CELL_TEXT, false},
                                             {"organisation", "organisation", CELL_TEXT, false},
                                             {"registration", "registration", CELL_TEXT, false},
                                             {"language", "language", CELL_TEXT, false},
                                             {"contacts", "contacts", CELL_TEXT, false},
                                             {"keys", "SSH keys", CELL_TEXT, false},
                                             {"attributes", "attributes", CELL_TEXT, false},
                                             {"holdings", "holds", CELL_TEXT, false},
                                             {"standing", "standing", CELL_TEXT, false},
                                             {"made_at", "since", CELL_INSTANT, false},
                                             {0}};

static json_t *show_object(struct call *call, const struct tenant *t, struct err *e) {
    json_t *held = holdings(call->store, t->row.id, e);
    if (!held) return NULL;
    json_t *standing = standing_show(call->store, t->row.id, e);
    if (!standing) return json_decref(held), NULL;
    json_t *out = tenant_json(t);
    json_object_set_new(out, "state", json_string(tenant_state_words[t->row.state]));
    json_object_set_new(out, "made_at", json_string(instant_text(t->row.made_at).s));
    json_object_set_new(out, "keys", keys_shown(t, is_json_wanted(call)));
    if (!is_json_wanted(call)) {
        json_t *shown = holdings_shown(held);
        json_decref(held);
        held = shown;
        shown = standing_shown(standing);
        json_decref(standing);
        standing = shown;
        json_object_set_new(out, "contacts", contacts_shown(t));
        json_object_set_new(out, "attributes", attrs_shown(t));
    }
    json_object_set_new(out, "holdings", held);
    json_object_set_new(out, "standing", standing);
    if (t->row.state == TENANT_ACTIVE || state_reason(call->store, t->row.id, out, e) == 0) return out;
    json_decref(out);
    return NULL;
}

static int show(struct store *s, void *arg, struct err *e) {
    struct call *call = arg;
    struct tenant_row row;
    struct tenant t = {0};
    if (tenant_find(s, call->arguments[0], &row, e) < 0) return -1;
    int rc = tenant_load(s, row.id, &t, e);
    scoped_json json_t *object = rc == 0 ? show_object(call, &t, e) : NULL;
    tenant_free(&t);
    return object ? output_object(call, show_columns, object, e) : -1;
}

int tenant_run_show(struct call *call, struct err *e) { return store_read(call->store, show, call, e); }

/* ---- list ---- */

static bool attr_fits(const struct tenant *t, const char *words) {
    const char *equals = strchr(words, '=');
    for (size_t i = 0; i < t->n_attrs; i++)
        if (strncmp(t->attrs[i].name, words, (size_t)(equals - words)) == 0 &&
            t->attrs[i].name[equals - words] == '\0')
            return strcmp(t->attrs[i].value, equals + 1) == 0;
    return equals[1] == '\0';
}

static bool is_wanted(const struct call *call, const struct tenant *t) {
    const char *state = call_option(call, "state"), *organisation = call_option(call, "organisation"), *words;
    if (state && strcmp(state, tenant_state_words[t->row.state]) != 0) return false;
    if (organisation && strcmp(organisation, t->row.organisation_name) != 0 &&
        strcmp(organisation, t->row.registration) != 0)
        return false;
    for (size_t k = 0; (words = call_option_at(call, "attr", k)); k++)
        if (!attr_fits(t, words)) return false;
    return true;
}

int tenant_check_state(const char *word, struct err *e) {
    if (!word) return 0;
    for (size_t i = 0; tenant_state_words[i]; i++)
        if (strcmp(tenant_state_words[i], word) == 0) return 0;
    err_set(e, ERR_USAGE, "no state '%.40s': active, suspended or closed", word);
    const char *near = text_nearest(word, tenant_state_words, TENANT_STATES);
    return near ? err_hint(e, "did you mean '%s'?", near) : -1;
}

static int filters_check(const struct call *call, struct err *e) {
    const char *words;
    if (tenant_check_state(call_option(call, "state"), e) < 0) return -1;
    for (size_t k = 0; (words = call_option_at(call, "attr", k)); k++)
        if (!strchr(words, '=') || *words == '=')
            return err_set(e, ERR_USAGE, "--attr %.200s: write ATTR=VALUE", words);
    return 0;
}

static const struct column list_columns[] = {{"name", "TENANT", CELL_TEXT, false},
                                             {"state", "STATE", CELL_STATE, false},
                                             {"organisation", "ORGANISATION", CELL_TEXT, false},
                                             {"registration", "REGISTRATION", CELL_TEXT, false},
                                             {"language", "LANG", CELL_TEXT, true},
                                             {"attributes", "ATTRIBUTES", CELL_TEXT, false},
                                             {"made_at", "SINCE", CELL_INSTANT, true},
                                             {0}};

static json_t *list_row(const struct call *call, const struct tenant *t) {
    json_t *attrs = is_json_wanted(call) ? json_object() : attrs_shown(t);
    for (size_t i = 0; is_json_wanted(call) && i < t->n_attrs; i++)
        json_object_set_new(attrs, t->attrs[i].name, json_string(t->attrs[i].value));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "name", t->row.name, "state",
                     tenant_state_words[t->row.state], "organisation", t->row.organisation_name,
                     "registration", t->row.registration, "language", t->row.language, "attributes", attrs,
                     "made_at", instant_text(t->row.made_at).s);
}

/* What no tenant has may be a slip of the pen: the policies say whether one could have it. A value that was
   taken under an earlier policy can still be looked for. */
static int attrs_check(struct call *call, const struct tenant_list *tenants, struct err *e) {
    const char *words;
    struct attr_checks *checks = NULL;
    int rc = 0;
    for (size_t k = 0; rc == 0 && (words = call_option_at(call, "attr", k)); k++) {
        bool is_found = false;
        size_t name = strcspn(words, "=");
        for (size_t i = 0; i < tenants->n && !is_found; i++) {
            const struct tenant *t = &tenants->of[i];
            for (size_t a = 0; a < t->n_attrs && !is_found; a++)
                is_found = strncmp(t->attrs[a].name, words, name) == 0 && t->attrs[a].name[name] == '\0' &&
                           (!words[name + 1] || strcmp(t->attrs[a].value, words + name + 1) == 0);
        }
        if (is_found) continue;
        if (!checks) rc = attr_checks_open(call, &checks, e);
        if (rc == 0 && attr_checks_word(checks, words, e) < 0) rc = err_context(e, "--attr %.80s", words);
    }
    attr_checks_close(checks);
    return rc;
}

static int list(struct store *s, void *arg, struct err *e) {
    struct call *call = arg;
    struct tenant_list tenants;
    scoped_json json_t *rows = json_array();
    int rc = tenant_list_load(s, &tenants, e);
    if (rc == 0) rc = attrs_check(call, &tenants, e);
    for (size_t i = 0; rc == 0 && i < tenants.n; i++)
        if (is_wanted(call, &tenants.of[i])) json_array_append_new(rows, list_row(call, &tenants.of[i]));
    tenant_list_free(&tenants);
    return rc < 0 ? -1 : output_list(call, list_columns, rows, e);
}

int tenant_run_list(struct call *call, struct err *e) {
    return filters_check(call, e) < 0 ? -1 : store_read(call->store, list, call, e);
}
