/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/json.h"

#include "alloc/file.h"
#include "alloc/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* loading */

static bool is_deeper_than(const json_t *value, int levels) {
    const char *key;
    json_t *child;
    size_t i;
    if (levels == 0) return json_is_array(value) || json_is_object(value);
    json_array_foreach(value, i, child) if (is_deeper_than(child, levels - 1)) return true;
    json_object_foreach((json_t *)value, key, child) if (is_deeper_than(child, levels - 1)) return true;
    return false;
}

/* The end of the string that begins at `at`, behind its closing quote. */
static size_t string_end(const char *bytes, size_t at, size_t end) {
    for (at++; at < end && bytes[at] != '"'; at++)
        if (bytes[at] == '\\') at++;
    return at + 1;
}

struct level {
    bool is_list, has_key;
    size_t index, key, length; /* key: where it stands, with its quotes */
};

/* The path of the last value that begins before `end`; up to there the text is known to be well formed. */
static void path_before(const char *bytes, size_t end, struct text *out) {
    struct level *levels = NULL, *top;
    size_t n = 0, room = 0;
    for (size_t at = 0, past; at < end; at = past) {
        top = n > 0 ? &levels[n - 1] : NULL;
        past = bytes[at] == '"' ? string_end(bytes, at, end) : at + 1;
        if (bytes[at] == '{' || bytes[at] == '[') {
            levels = mem_grow(levels, &room, n + 1, sizeof *levels);
            levels[n++] = (struct level){.is_list = bytes[at] == '['};
        } else if (top && (bytes[at] == '}' || bytes[at] == ']')) {
            n--;
        } else if (top && bytes[at] == ',') {
            top->index++;
            top->has_key = false;
        } else if (top && bytes[at] == '"' && !top->is_list && !top->has_key) {
            *top = (struct level){.has_key = true, .key = at, .length = past - at};
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (levels[i].is_list)
            text_add(out, "[%zu]", levels[i].index);
        else if (levels[i].length > 2)
            text_add(out, "%s%.*s", i ? "." : "", (int)levels[i].length - 2, &bytes[levels[i].key + 1]);
    }
    free(levels);
}

/* A number too large for any place and a key given twice: the place is named all the same. */
static void fail_syntax(const char *bytes, size_t length, const char *title, const json_error_t *error,
                        struct err *e) {
    scoped_text struct text path = {0};
    size_t end = error->position > 0 && (size_t)error->position < length ? (size_t)error->position : length;
    enum json_error_code code = json_error_code(error);
    if (code == json_error_numeric_overflow || code == json_error_duplicate_key)
        path_before(bytes, end, &path);
    err_set(e, ERR_USAGE, "%s:%d:%d: %.600s%s%s", title, error->line, error->column, path.s ? path.s : "",
            path.s ? ": " : "", error->text);
}

static json_t *load(const char *bytes, size_t length, const char *title, struct err *e) {
    json_error_t error;
    json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) {
        fail_syntax(bytes, length, title, &error, e);
        return NULL;
    }
    if (is_deeper_than(value, JSON_DEPTH_MOST)) {
        err_set(e, ERR_USAGE, "%s: nested deeper than %d levels", title, JSON_DEPTH_MOST);
        json_decref(value);
        return NULL;
    }
    return value;
}

json_t *json_load_text(const char *bytes, size_t length, const char *title, struct err *e) {
    if (length <= JSON_BYTES_MOST) return load(bytes, length, title, e);
    err_set(e, ERR_USAGE, "%s: more than %d bytes", title, JSON_BYTES_MOST);
    return NULL;
}

json_t *json_load_large_path(const char *path, size_t most, struct err *e) {
    scoped_text struct text bytes = {0};
    if (file_read(path, most, &bytes, e) < 0) return NULL;
    return load(bytes.s, bytes.length, file_title(path), e);
}

json_t *json_load_path(const char *path, struct err *e) {
    return json_load_large_path(path, JSON_BYTES_MOST, e);
}

char *json_canonical(const json_t *value) {
    char *s = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    if (!s) abort(); /* only without memory */
    return s;
}

/* places */

struct json_at json_root(const json_t *value, const char *title) {
    return (struct json_at){.value = value, .key = title};
}

struct json_at json_item(const struct json_at *array, size_t index) {
    return (struct json_at){.value = json_array_get(array->value, index), .up = array, .index = index};
}

struct json_at json_member(const struct json_at *object, const char *key) {
    return (struct json_at){.value = json_object_get(object->value, key), .up = object, .key = key};
}

size_t json_length(const struct json_at *at) {
    return json_is_array(at->value) ? json_array_size(at->value) : json_object_size(at->value);
}

static bool is_there(const struct json_at *at) { return at->value && !json_is_null(at->value); }

bool json_has(const struct json_at *object, const char *key) {
    struct json_at at = json_member(object, key);
    return is_there(&at);
}

/* The mark of a place: [line, column, marks of what is inside]; of the nearest outer place when it has none.
 */
static const json_t *mark_of(const struct json_at *at) {
    if (!at->up) return at->marks;
    const json_t *outer = mark_of(at->up), *inside = json_array_get(outer, 2);
    const json_t *mark = at->key ? json_object_get(inside, at->key) : json_array_get(inside, at->index);
    return mark ? mark : outer;
}

static void add_steps(const struct json_at *at, struct text *out, bool is_last) {
    if (!at->up) return;
    add_steps(at->up, out, false);
    if (at->key)
        text_add(out, "%s%s", at->key, is_last ? "" : ".");
    else {
        if (out->length > 0 && out->s[out->length - 1] == '.') out->length--;
        text_add(out, "[%zu]%s", at->index, is_last ? "" : ".");
    }
}

void json_path(const struct json_at *at, struct text *out) {
    const struct json_at *root = at;
    while (root->up) root = root->up;
    const json_t *mark = mark_of(at);
    text_add(out, "%s", root->key);
    if (mark)
        text_add(out, ":%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_array_get(mark, 0)), json_integer_value(json_array_get(mark, 1)));
    if (!at->up) return;
    text_add(out, ": ");
    struct text steps = {0};
    add_steps(at, &steps, true);
    text_add(out, "%s", steps.s);
    text_free(&steps);
}

/* failures */

int json_fail(const struct json_at *at, struct err *e, const char *format, ...) {
    char message[768];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    scoped_text struct text path = {0};
    json_path(at, &path);
    return err_set(e, ERR_USAGE, "%.600s: %s", path.s, message);
}

int json_context(const struct json_at *object, const char *key, struct err *e) {
    struct json_at at = json_member(object, key);
    scoped_text struct text path = {0};
    json_path(&at, &path);
    return err_context(e, "%s", path.s);
}

/* What stands there instead: `is 12`, `is "abc"`, `is an object`, `is missing`. */
static int fail_kind(const struct json_at *at, const char *wanted, struct err *e) {
    if (!at->value) return json_fail(at, e, "is missing (%s)", wanted);
    if (json_is_object(at->value)) return json_fail(at, e, "must be %s, is an object", wanted);
    if (json_is_array(at->value)) return json_fail(at, e, "must be %s, is a list", wanted);
    char *shown = json_dumps(at->value, JSON_ENCODE_ANY);
    json_fail(at, e, "must be %s, is %.80s", wanted, shown);
    free(shown);
    return -1;
}

static size_t count_words(const char *const words[]) {
    size_t n = 0;
    while (words[n]) n++;
    return n;
}

int json_as_object(const struct json_at *at, struct err *e) {
    return json_is_object(at->value) ? 0 : fail_kind(at, "an object", e);
}

static bool has_word(const char *const words[], const char *word, size_t *index) {
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0) return *index = i, true;
    return false;
}

int json_only(const struct json_at *object, const char *const keys[], struct err *e) {
    if (json_as_object(object, e) < 0) return -1;
    const char *key;
    json_t *child;
    size_t index;
    json_object_foreach((json_t *)object->value, key, child) {
        if (has_word(keys, key, &index)) continue;
        struct json_at at = json_member(object, key);
        json_fail(&at, e, "is not known here");
        const char *nearest = text_nearest(key, keys, count_words(keys));
        return nearest ? err_hint(e, "did you mean '%s'?", nearest) : -1;
    }
    return 0;
}

/* one value */

int json_as_text(const struct json_at *at, size_t most, const char **out, struct err *e) {
    if (!json_is_string(at->value)) {
        bool looks_plain = json_is_integer(at->value) || json_is_boolean(at->value);
        fail_kind(at, "text", e);
        return looks_plain ? err_hint(e, "put it in quotes") : -1;
    }
    const char *s = json_string_value(at->value);
    if (json_string_length(at->value) > most) return json_fail(at, e, "is longer than %zu bytes", most);
    if (!text_is_printable(s)) return json_fail(at, e, "holds control characters");
    *out = s;
    return 0;
}

int json_as_int(const struct json_at *at, int64_t low, int64_t high, int64_t *out, struct err *e) {
    int64_t n = json_integer_value(at->value);
    if (!json_is_integer(at->value) || n < low || n > high) {
        char wanted[80];
        text_format(wanted, sizeof wanted, "an integer from %lld to %lld", (long long)low, (long long)high);
        return fail_kind(at, wanted, e);
    }
    *out = n;
    return 0;
}

static int as_bool(const struct json_at *at, bool *out, struct err *e) {
    if (!json_is_boolean(at->value)) return fail_kind(at, "true or false", e);
    *out = json_is_true(at->value);
    return 0;
}

static int as_word(const struct json_at *at, const char *const words[], size_t *out, struct err *e) {
    const char *s = json_string_value(at->value);
    if (s && has_word(words, s, out)) return 0;
    scoped_text struct text known = {0};
    for (size_t i = 0; words[i]; i++) text_add(&known, "%s%s", i ? ", " : "one of: ", words[i]);
    fail_kind(at, known.s, e);
    const char *nearest = s ? text_nearest(s, words, count_words(words)) : NULL;
    return nearest ? err_hint(e, "did you mean '%s'?", nearest) : -1;
}

static int as_array(const struct json_at *at, size_t least, size_t most, struct err *e) {
    if (!json_is_array(at->value)) return fail_kind(at, "a list", e);
    size_t n = json_array_size(at->value);
    if (n >= least && n <= most) return 0;
    return json_fail(at, e, "must have %zu to %zu items, has %zu", least, most, n);
}

static int as_instant(const struct json_at *at, instant_t *out, struct err *e) {
    const char *s = "";
    if (json_as_text(at, 64, &s, e) < 0) return -1;
    if (instant_parse(s, out, e) == 0) return 0;
    scoped_text struct text path = {0};
    json_path(at, &path);
    return err_context(e, "%s", path.s);
}

/* members */

int json_need_object(const struct json_at *object, const char *key, struct json_at *out, struct err *e) {
    *out = json_member(object, key);
    return json_as_object(out, e);
}

int json_may_object(const struct json_at *object, const char *key, struct json_at *out, struct err *e) {
    *out = json_member(object, key);
    if (is_there(out)) return json_as_object(out, e);
    out->value = NULL;
    return 0;
}

int json_need_array(const struct json_at *object, const char *key, size_t least, size_t most,
                    struct json_at *out, struct err *e) {
    *out = json_member(object, key);
    return as_array(out, least, most, e);
}

int json_may_array(const struct json_at *object, const char *key, size_t most, struct json_at *out,
                   struct err *e) {
    *out = json_member(object, key);
    if (is_there(out)) return as_array(out, 0, most, e);
    out->value = NULL;
    return 0;
}

int json_need_text(const struct json_at *object, const char *key, size_t most, const char **out,
                   struct err *e) {
    struct json_at at = json_member(object, key);
    const char *s = "";
    if (json_as_text(&at, most, &s, e) < 0) return -1;
    if (*s == '\0') return json_fail(&at, e, "must not be empty");
    *out = s;
    return 0;
}

int json_may_text(const struct json_at *object, const char *key, size_t most, const char **out,
                  struct err *e) {
    struct json_at at = json_member(object, key);
    return is_there(&at) ? json_as_text(&at, most, out, e) : 0;
}

int json_need_int(const struct json_at *object, const char *key, int64_t low, int64_t high, int64_t *out,
                  struct err *e) {
    struct json_at at = json_member(object, key);
    return json_as_int(&at, low, high, out, e);
}

int json_may_int(const struct json_at *object, const char *key, int64_t low, int64_t high, int64_t *out,
                 struct err *e) {
    struct json_at at = json_member(object, key);
    return is_there(&at) ? json_as_int(&at, low, high, out, e) : 0;
}

int json_need_bool(const struct json_at *object, const char *key, bool *out, struct err *e) {
    struct json_at at = json_member(object, key);
    return as_bool(&at, out, e);
}

int json_may_bool(const struct json_at *object, const char *key, bool *out, struct err *e) {
    struct json_at at = json_member(object, key);
    return is_there(&at) ? as_bool(&at, out, e) : 0;
}

int json_need_word(const struct json_at *object, const char *key, const char *const words[], size_t *out,
                   struct err *e) {
    struct json_at at = json_member(object, key);
    return as_word(&at, words, out, e);
}

int json_may_word(const struct json_at *object, const char *key, const char *const words[], size_t *out,
                  struct err *e) {
    struct json_at at = json_member(object, key);
    return is_there(&at) ? as_word(&at, words, out, e) : 0;
}

int json_need_instant(const struct json_at *object, const char *key, instant_t *out, struct err *e) {
    struct json_at at = json_member(object, key);
    return as_instant(&at, out, e);
}

int json_may_instant(const struct json_at *object, const char *key, instant_t *out, struct err *e) {
    struct json_at at = json_member(object, key);
    return is_there(&at) ? as_instant(&at, out, e) : 0;
}
