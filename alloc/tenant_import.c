/* SPDX-License-Identifier: Apache-2.0 */
/* From wishes to what stands: who is added, changed or left alone. */
#include "alloc/tenant_file.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

/* Who stands, by name, so that a thousand rows are not a thousand walks. */
struct standing {
    struct tenant_list list;
    json_t *places; /* name -> index */
};

static int standing_load(struct store *s, struct standing *out, struct err *e) {
    out->places = json_object();
    if (tenant_list_load(s, &out->list, e) < 0) return -1;
    for (size_t i = 0; i < out->list.n; i++)
        json_object_set_new_nocheck(out->places, out->list.of[i].row.name, json_integer((json_int_t)i));
    return 0;
}

static void standing_free(struct standing *s) {
    tenant_list_free(&s->list);
    json_decref(s->places);
}

static int at_line(const struct tenant_wishes *w, const struct tenant_wish *wish, struct err *e) {
    return w->is_json ? err_context(e, "%s: [%zu]", w->title, wish->line - 1)
                      : err_context(e, "%s:%zu", w->title, wish->line);
}

static int attrs_merge(const struct tenant_wishes *w, const struct tenant_wish *wish, struct tenant *t,
                       struct err *e) {
    for (size_t i = 0; i < w->n_columns; i++)
        if (!tenant_attr(&wish->tenant, w->columns[i]) && tenant_set_attr(t, w->columns[i], "", e) < 0)
            return -1;
    for (size_t i = t->n_attrs; wish->has_all_attrs && i-- > 0;)
        if (!tenant_attr(&wish->tenant, t->attrs[i].name)) {
            scoped_free char *name = mem_copy(t->attrs[i].name);
            if (tenant_set_attr(t, name, "", e) < 0) return -1;
        }
    for (size_t i = 0; i < wish->tenant.n_attrs; i++)
        if (tenant_set_attr(t, wish->tenant.attrs[i].name, wish->tenant.attrs[i].value, e) < 0) return -1;
    return 0;
}

/* Contacts and keys were checked when the file was read; here they only change hands. */
static void sides_merge(const struct tenant_wish *wish, struct tenant *t) {
    struct tenant sides;
    tenant_copy(&wish->tenant, &sides);
    if (wish->has_contacts) {
        struct tenant_contact *contacts = t->contacts;
        size_t n = t->n_contacts, room = t->contacts_room;
        t->contacts = sides.contacts, t->n_contacts = sides.n_contacts,
        t->contacts_room = sides.contacts_room;
        sides.contacts = contacts, sides.n_contacts = n, sides.contacts_room = room;
    }
    if (wish->has_keys) {
        struct tenant_key *keys = t->keys;
        size_t n = t->n_keys, room = t->keys_room;
        t->keys = sides.keys, t->n_keys = sides.n_keys, t->keys_room = sides.keys_room;
        sides.keys = keys, sides.n_keys = n, sides.keys_room = room;
    }
    tenant_free(&sides);
}

/* What the tenant shall be: what stood with the words of the file over it. */
static int merge(const struct tenant_wishes *w, const struct tenant_wish *wish, const struct tenant *before,
                 struct tenant *after, struct err *e) {
    const struct tenant_row *words = &wish->tenant.row;
    if (before) {
        tenant_copy(before, after);
    } else {
        *after = (struct tenant){0};
        if (!wish->has_organisation || !wish->has_registration)
            return err_set(e, ERR_USAGE, "'%s' is new: its organisation and registration are needed",
                           words->name);
        if (tenant_set_name(after, words->name, e) < 0 || tenant_set_language(after, "ko", e) < 0) return -1;
    }
    if (wish->has_organisation && tenant_set_organisation(after, words->organisation_name, e) < 0) return -1;
    if (wish->has_registration && tenant_set_registration(after, words->registration, e) < 0) return -1;
    if (wish->has_language && tenant_set_language(after, words->language, e) < 0) return -1;
    sides_merge(wish, after);
    return attrs_merge(w, wish, after, e);
}

static void report(struct tenant_import *import, const struct tenant *before, const struct tenant *after,
                   bool changed) {
    size_t *count = !before ? &import->added : changed ? &import->changed : &import->unchanged;
    (*count)++;
    if (before && !changed) return;
    json_t *row = json_pack("{s:s, s:s}", "name", after->row.name, "outcome", before ? "changed" : "added");
    if (import->with_changes) json_object_set_new(row, "changes", tenant_diff(before, after, true));
    json_array_append_new(import->rows, row);
}

static int one(struct book *b, struct tenant_import *import, const struct standing *standing,
               const struct tenant_wish *wish, struct err *e) {
    const json_t *place = json_object_get(standing->places, wish->tenant.row.name);
    const struct tenant *before = place ? &standing->list.of[json_integer_value(place)] : NULL;
    struct tenant after = {0};
    bool changed = false;
    int rc = merge(import->wishes, wish, before, &after, e);
    if (rc == 0) rc = tenant_save(b, before, &after, import->checker, &changed, e);
    if (rc == 0) report(import, before, &after, changed);
    tenant_free(&after);
    return rc;
}

/* A name twice in one file: the second would quietly undo the first. */
static int names_check(const struct tenant_wishes *w, struct err *e) {
    scoped_json json_t *lines = json_object();
    for (size_t i = 0; i < w->n; i++) {
        const char *name = w->of[i].tenant.row.name;
        const json_t *first = json_object_get(lines, name);
        if (first) {
            err_set(e, ERR_USAGE, "the tenant '%s' stands in %s %lld already", name,
                    w->is_json ? "object" : "line", (long long)json_integer_value(first));
            return at_line(w, &w->of[i], e);
        }
        json_object_set_new_nocheck(lines, name, json_integer((json_int_t)w->of[i].line));
    }
    return 0;
}

int tenant_import(struct book *b, struct tenant_import *import, struct err *e) {
    const struct tenant_wishes *w = import->wishes;
    struct standing standing = {0};
    json_decref(import->rows); /* a transaction may run again */
    import->rows = json_array();
    import->added = import->changed = import->unchanged = 0;
    int rc = names_check(w, e);
    if (rc == 0) rc = standing_load(b->store, &standing, e);
    for (size_t i = 0; rc == 0 && i < w->n; i++) {
        rc = one(b, import, &standing, &w->of[i], e);
        if (rc < 0) at_line(w, &w->of[i], e);
        if (rc == 0 && import->step) import->step(import->arg, i + 1);
    }
    standing_free(&standing);
    return rc;
}
