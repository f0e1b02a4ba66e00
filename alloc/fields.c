/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/fields.h"

#include "alloc/amount.h"
#include "alloc/scope.h"
#include "alloc/text.h"

#include <string.h>

static const struct field *field_find(const struct field *fields, const char *key) {
    for (; fields->key; fields++)
        if (strcmp(fields->key, key) == 0) return fields;
    return NULL;
}

static int no_such_key(const char *path, const struct field *fields, const char *key, struct err *e) {
    const char *names[64];
    size_t n = 0;
    for (; fields->key && n < 64; fields++) names[n++] = fields->key;
    err_set(e, ERR_USAGE, "%s: no such key: \"%s\"", path, key);
    const char *near = text_nearest(key, names, n);
    return near ? err_hint(e, "did you mean \"%s\"?", near) : -1;
}

static int word_check(const char *path, const struct field *f, const char *word, struct err *e) {
    struct text all scoped_text = {0};
    size_t n = 0;
    for (; f->words[n]; n++) {
        if (strcmp(f->words[n], word) == 0) return 0;
        text_add(&all, "%s\"%s\"", n ? ", " : "", f->words[n]);
    }
    err_set(e, ERR_USAGE, "%s.%s: \"%s\" is not one of %s", path, f->key, word, all.s);
    const char *near = text_nearest(word, f->words, n);
    return near ? err_hint(e, "did you mean \"%s\"?", near) : -1;
}

static int text_check(const char *path, const struct field *f, const json_t *value, struct err *e) {
    const char *s = json_string_value(value);
    if (!s) return err_set(e, ERR_USAGE, "%s.%s: must be text", path, f->key);
    if (!*s || strlen(s) != json_string_length(value) || !text_is_printable(s))
        return err_set(e, ERR_USAGE, "%s.%s: must be printable text and not empty", path, f->key);
    return f->words ? word_check(path, f, s, e) : 0;
}

static int count_read(const char *path, const struct field *f, const json_t *value, int64_t *n,
                      struct err *e) {
    if (f->kind == FIELD_BYTES && json_is_string(value)) {
        bytes_t b;
        if (bytes_parse(json_string_value(value), &b, e) < 0) return err_context(e, "%s.%s", path, f->key);
        *n = b.n;
    } else if (json_is_integer(value)) {
        *n = json_integer_value(value);
    } else {
        return err_set(e, ERR_USAGE, "%s.%s: must be %s", path, f->key,
                       f->kind == FIELD_BYTES ? "bytes, as an integer or as text with a unit (\"50 TB\")"
                                              : "an integer");
    }
    if (*n < f->low || *n > f->high)
        return err_set(e, ERR_USAGE, "%s.%s: %lld is not between %lld and %lld", path, f->key, (long long)*n,
                       (long long)f->low, (long long)f->high);
    return 0;
}

static int texts_check(const char *path, const struct field *f, const json_t *value, struct err *e) {
    if (!json_is_array(value)) return err_set(e, ERR_USAGE, "%s.%s: must be an array of texts", path, f->key);
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) {
        const char *s = json_string_value(item);
        if (!s || !text_is_printable(s))
            return err_set(e, ERR_USAGE, "%s.%s[%zu]: must be printable text", path, f->key, i);
    }
    return 0;
}

/* Checks one value and, when `to` is given, stores it. */
static int field_take(const char *path, const struct field *f, const json_t *value, void *to, struct err *e) {
    int64_t n = 0;
    int rc = 0;
    switch (f->kind) {
    case FIELD_TEXT: rc = text_check(path, f, value, e); break;
    case FIELD_COUNT:
    case FIELD_BYTES: rc = count_read(path, f, value, &n, e); break;
    case FIELD_TEXTS: rc = texts_check(path, f, value, e); break;
    case FIELD_YES:
        if (!json_is_boolean(value)) rc = err_set(e, ERR_USAGE, "%s.%s: must be true or false", path, f->key);
        break;
    case FIELD_OBJECT:
        if (!json_is_object(value)) rc = err_set(e, ERR_USAGE, "%s.%s: must be an object", path, f->key);
        break;
    }
    if (rc < 0 || !to) return rc;
    char *place = (char *)to + f->offset;
    switch (f->kind) {
    case FIELD_TEXT: *(const char **)(void *)place = json_string_value(value); break;
    case FIELD_COUNT:
    case FIELD_BYTES: *(struct field_count *)(void *)place = (struct field_count){true, n}; break;
    case FIELD_YES: *(bool *)(void *)place = json_is_true(value); break;
    case FIELD_TEXTS:
    case FIELD_OBJECT: *(const json_t **)(void *)place = value; break;
    }
    return 0;
}

int fields_decode(const json_t *object, const char *path, const struct field *fields, void *out,
                  struct err *e) {
    if (!json_is_object(object)) return err_set(e, ERR_USAGE, "%s: must be an object", path);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        const struct field *f = field_find(fields, key);
        if (!f) return no_such_key(path, fields, key, e);
        if (field_take(path, f, value, NULL, e) < 0) return -1;
    }
    for (const struct field *f = fields; f->key; f++)
        if (f->required && !json_object_get(object, f->key))
            return err_set(e, ERR_USAGE, "%s.%s: is missing", path, f->key);
    json_object_foreach((json_t *)object, key, value) {
        if (field_take(path, field_find(fields, key), value, out, e) < 0) return -1;
    }
    return 0;
}
