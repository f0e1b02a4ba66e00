/* SPDX-License-Identifier: Apache-2.0 */
/* Files of tenants: reading into wishes, writing from a list. */
#include "alloc/tenant_file.h"

#include "alloc/csv.h"
#include "alloc/json.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "attr:"
enum { CONTACT_MOST = 512, KEY_MOST = 8192, JSON_TENANTS_MOST = 1000000 };

static struct tenant_wish *wish_add(struct tenant_wishes *w) {
    w->of = mem_grow(w->of, &w->room, w->n + 1, sizeof *w->of);
    return &w->of[w->n++];
}

void tenant_wishes_free(struct tenant_wishes *w) {
    for (size_t i = 0; i < w->n; i++) tenant_free(&w->of[i].tenant);
    for (size_t i = 0; i < w->n_columns; i++) free(w->columns[i]);
    free(w->of);
    free(w->columns);
    free(w->title);
    *w = (struct tenant_wishes){0};
}

/* ---- CSV ---- */

typedef int part_fn(struct tenant *t, const char *part, struct err *e);

/* Calls fn with each part of a cell that is not blank. */
static int each_part(struct tenant *t, const char *cell, part_fn *fn, struct err *e) {
    scoped_free char *copy = mem_copy(cell);
    char *rest = copy;
    for (char *part; (part = strsep(&rest, ";\n"));) {
        part += strspn(part, " \t\r");
        size_t length = strlen(part);
        while (length > 0 && strchr(" \t\r", part[length - 1])) part[--length] = '\0';
        if (length > 0 && fn(t, part, e) < 0) return -1;
    }
    return 0;
}

static int contact_once(struct tenant *t, const char *words, struct err *e) {
    size_t had = t->n_contacts;
    if (tenant_set_contact(t, words, e) < 0) return -1;
    return t->n_contacts > had ? 0 : err_set(e, ERR_USAGE, "the contact '%.200s' stands twice", words);
}

static int row_attrs(const struct csv *csv, struct tenant *t, struct err *e) {
    for (size_t i = 0; i < csv->n_columns; i++) {
        if (strncmp(csv->names[i], PREFIX, strlen(PREFIX)) != 0) continue;
        if (tenant_set_attr(t, csv->names[i] + strlen(PREFIX), csv->fields[i], e) < 0) return -1;
    }
    return 0;
}

static int row_read(const struct csv *csv, struct tenant_wish *wish, struct err *e) {
    struct tenant *t = &wish->tenant;
    const char *organisation = csv_get(csv, "organisation"), *registration = csv_get(csv, "registration");
    const char *language = csv_get(csv, "language"), *contact = csv_get(csv, "contact");
    const char *keys = csv_get(csv, "keys");
    wish->line = csv->line;
    wish->has_organisation = organisation != NULL;
    wish->has_registration = registration != NULL;
    wish->has_language = language && *language;
    wish->has_contacts = contact != NULL;
    wish->has_keys = keys != NULL;
    if (tenant_set_name(t, csv_get(csv, "name"), e) < 0) return -1;
    if (organisation && tenant_set_organisation(t, organisation, e) < 0) return -1;
    if (registration && tenant_set_registration(t, registration, e) < 0) return -1;
    if (wish->has_language && tenant_set_language(t, language, e) < 0) return -1;
    if (contact && each_part(t, contact, contact_once, e) < 0) return -1;
    if (keys && each_part(t, keys, tenant_set_key, e) < 0) return -1;
    return row_attrs(csv, t, e);
}

static int csv_header(const struct csv *csv, struct tenant_wishes *w, struct err *e) {
    static const char *const known[] = {"name", "organisation", "registration", "language", "contact", "keys",
                                        NULL};
    static const char *const prefixes[] = {PREFIX, NULL};
    if (csv_match(csv, known, prefixes, e) < 0) {
        err_hint(e, "columns are name, organisation, registration, language, contact, keys and attr:NAME");
        return -1;
    }
    w->columns = mem_alloc(csv->n_columns * sizeof *w->columns);
    bool has_name = false;
    for (size_t i = 0; i < csv->n_columns; i++) {
        has_name = has_name || strcmp(csv->names[i], "name") == 0;
        if (strncmp(csv->names[i], PREFIX, strlen(PREFIX)) != 0) continue;
        struct tenant probe = {0}; /* is it a name that an attribute can have? */
        w->columns[w->n_columns++] = mem_copy(csv->names[i] + strlen(PREFIX));
        if (tenant_set_attr(&probe, w->columns[w->n_columns - 1], "", e) < 0)
            return err_context(e, "%s:1", csv->title);
    }
    return has_name ? 0 : err_set(e, ERR_USAGE, "%s:1: the column 'name' is missing", csv->title);
}

static int csv_read(const char *bytes, size_t length, struct tenant_wishes *w, struct err *e) {
    struct csv csv = {0};
    int rc = csv_open(&csv, bytes, length, w->title, e);
    if (rc == 0) rc = csv_header(&csv, w, e);
    while (rc == 0 && (rc = csv_next(&csv, e)) == 1) {
        rc = row_read(&csv, wish_add(w), e);
        if (rc < 0) err_context(e, "%s:%zu", w->title, csv.line);
    }
    csv_close(&csv);
    return rc;
}

/* ---- JSON ---- */

static int contact_decode(const struct json_at *at, struct tenant *t, struct err *e) {
    static const char *const keys[] = {"name", "email", "phone", NULL};
    const char *name = "", *email, *phone = "";
    scoped_text struct text words = {0};
    if (json_only(at, keys, e) < 0 || json_may_text(at, "name", CONTACT_MOST, &name, e) < 0 ||
        json_need_text(at, "email", CONTACT_MOST, &email, e) < 0 ||
        json_may_text(at, "phone", CONTACT_MOST, &phone, e) < 0)
        return -1;
    text_add(&words, "%s <%s> %s", name, email, phone);
    struct err inner = {0};
    return contact_once(t, words.s, &inner) < 0 ? json_fail(at, e, "%s", inner.what) : 0;
}

static int contacts_decode(const struct json_at *at, struct tenant *t, struct err *e) {
    struct json_at list;
    if (json_may_array(at, "contacts", TENANT_CONTACTS_MOST, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        if (contact_decode(&item, t, e) < 0) return -1;
    }
    return 0;
}

static int keys_decode(const struct json_at *at, struct tenant *t, struct err *e) {
    struct json_at list;
    if (json_may_array(at, "keys", TENANT_KEYS_MOST, &list, e) < 0) return -1;
    for (size_t i = 0; i < json_length(&list); i++) {
        struct json_at item = json_item(&list, i);
        const char *line;
        struct err inner = {0};
        if (json_as_text(&item, KEY_MOST, &line, e) < 0) return -1;
        if (tenant_set_key(t, line, &inner) < 0) {
            json_fail(&item, e, "%s", inner.what);
            return err_hint(e, "%s", inner.hint);
        }
    }
    return 0;
}

static int attrs_decode(const struct json_at *at, struct tenant *t, struct err *e) {
    struct json_at object;
    if (json_may_object(at, "attributes", &object, e) < 0) return -1;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object.value, name, value) {
        const char *text = "";
        if (json_may_text(&object, name, TENANT_VALUE_MOST, &text, e) < 0) return -1;
        if (tenant_set_attr(t, name, text, e) < 0) return json_context(at, "attributes", e);
    }
    return 0;
}

/* The texts that have a rule of their own: `set` checks them. */
static int text_decode(const struct json_at *at, const char *key, struct tenant *t, bool *has,
                       int (*set)(struct tenant *, const char *, struct err *), struct err *e) {
    const char *text;
    *has = json_has(at, key);
    if (!*has) return 0;
    if (json_need_text(at, key, KEY_MOST, &text, e) < 0) return -1;
    return set(t, text, e) < 0 ? json_context(at, key, e) : 0;
}

static int tenant_decode(const struct json_at *at, struct tenant_wish *wish, struct err *e) {
    static const char *const keys[] = {"name",     "organisation", "registration", "language",
                                       "contacts", "keys",         "attributes",   NULL};
    struct tenant *t = &wish->tenant;
    bool has_name;
    const char *name;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", TENANT_NAME_MOST, &name, e) < 0) return -1;
    if (text_decode(at, "name", t, &has_name, tenant_set_name, e) < 0 ||
        text_decode(at, "organisation", t, &wish->has_organisation, tenant_set_organisation, e) < 0 ||
        text_decode(at, "registration", t, &wish->has_registration, tenant_set_registration, e) < 0 ||
        text_decode(at, "language", t, &wish->has_language, tenant_set_language, e) < 0)
        return -1;
    wish->has_contacts = json_member(at, "contacts").value != NULL;
    wish->has_keys = json_member(at, "keys").value != NULL;
    wish->has_all_attrs = json_member(at, "attributes").value != NULL;
    if (contacts_decode(at, t, e) < 0 || keys_decode(at, t, e) < 0) return -1;
    return attrs_decode(at, t, e);
}

static int json_read(const char *bytes, size_t length, struct tenant_wishes *w, struct err *e) {
    scoped_json json_t *document = json_load_text(bytes, length, w->title, e);
    if (!document) return -1;
    struct json_at root = json_root(document, w->title);
    if (!json_is_array(document)) return json_fail(&root, e, "must be an array of tenants");
    w->is_json = true;
    for (size_t i = 0; i < json_length(&root); i++) {
        struct json_at item = json_item(&root, i);
        struct tenant_wish *wish = wish_add(w);
        wish->line = i + 1;
        if (tenant_decode(&item, wish, e) < 0) return -1;
    }
    return 0;
}

int tenant_wishes_read(const char *bytes, size_t length, const char *title, struct tenant_wishes *w,
                       struct err *e) {
    size_t i = 0;
    w->title = mem_copy(title);
    while (i < length && strchr(" \t\r\n", bytes[i])) i++;
    bool is_json = i < length && (bytes[i] == '[' || bytes[i] == '{');
    return is_json ? json_read(bytes, length, w, e) : csv_read(bytes, length, w, e);
}

/* ---- writing ---- */

json_t *tenant_json(const struct tenant *t) {
    json_t *contacts = json_array(), *keys = json_array(), *attrs = json_object();
    for (size_t i = 0; i < t->n_contacts; i++) {
        const struct tenant_contact *c = &t->contacts[i];
        json_t *contact = json_pack("{s:s}", "email", c->email);
        if (*c->name) json_object_set_new(contact, "name", json_string(c->name));
        if (*c->phone) json_object_set_new(contact, "phone", json_string(c->phone));
        json_array_append_new(contacts, contact);
    }
    for (size_t i = 0; i < t->n_keys; i++) json_array_append_new(keys, json_string(t->keys[i].line));
    for (size_t i = 0; i < t->n_attrs; i++)
        json_object_set_new(attrs, t->attrs[i].name, json_string(t->attrs[i].value));
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "name", t->row.name, "organisation",
                     t->row.organisation_name, "registration", t->row.registration, "language",
                     t->row.language, "contacts", contacts, "keys", keys, "attributes", attrs);
}

/* One object per line: a change of one tenant is a change of one line. */
char *tenant_export_json(const struct tenant_list *list) {
    struct text out = {0};
    text_add(&out, "[");
    for (size_t i = 0; i < list->n; i++) {
        scoped_json json_t *object = tenant_json(&list->of[i]);
        scoped_free char *line = json_dumps(object, JSON_COMPACT);
        text_add(&out, "%s\n%s", i ? "," : "", line);
    }
    text_add(&out, "\n]\n");
    return text_take(&out);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names of all attributes in the list, sorted; borrowed from it. The caller frees the array. */
static const char **attr_names(const struct tenant_list *list, size_t *n) {
    scoped_json json_t *seen = json_object();
    const char **names = NULL;
    size_t room = 0;
    *n = 0;
    for (size_t i = 0; i < list->n; i++)
        for (size_t k = 0; k < list->of[i].n_attrs; k++) {
            const char *name = list->of[i].attrs[k].name;
            if (json_object_get(seen, name)) continue;
            json_object_set_new(seen, name, json_true());
            names = mem_grow(names, &room, *n + 1, sizeof *names);
            names[(*n)++] = name;
        }
    if (*n) qsort(names, *n, sizeof *names, by_text);
    return names;
}

static void put_row(struct csv_out *out, const struct tenant *t, const char *const *names, size_t n_names) {
    scoped_text struct text contacts = {0}, keys = {0};
    for (size_t i = 0; i < t->n_contacts; i++) {
        if (i) text_add(&contacts, "; ");
        tenant_contact_text(&t->contacts[i], &contacts);
    }
    for (size_t i = 0; i < t->n_keys; i++) text_add(&keys, "%s%s", i ? "; " : "", t->keys[i].line);
    csv_put(out, t->row.name);
    csv_put(out, t->row.organisation_name);
    csv_put(out, t->row.registration);
    csv_put(out, t->row.language);
    csv_put(out, contacts.s ? contacts.s : "");
    csv_put(out, keys.s ? keys.s : "");
    for (size_t i = 0; i < n_names; i++) {
        const char *value = tenant_attr(t, names[i]);
        csv_put(out, value ? value : "");
    }
    csv_end_row(out);
}

char *tenant_export_csv(const struct tenant_list *list) {
    static const char *const fixed[] = {"name",     "organisation", "registration",
                                        "language", "contact",      "keys"};
    size_t n_names;
    scoped_free const char **names = attr_names(list, &n_names);
    struct csv_out out = {0};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) csv_put(&out, fixed[i]);
    for (size_t i = 0; i < n_names; i++) {
        char title[80];
        text_format(title, sizeof title, PREFIX "%s", names[i]);
        csv_put(&out, title);
    }
    csv_end_row(&out);
    for (size_t i = 0; i < list->n; i++) put_row(&out, &list->of[i], names, n_names);
    return text_take(&out.text);
}
