/* SPDX-License-Identifier: Apache-2.0 */
/* What a cloud says about a failure: pure. */
#include "backends/http.h"

#include <ctype.h>
#include <string.h>

/* One line of printable text: runs of blanks and control characters become one blank, what is not UTF-8 "?".
 */
static void line_put(struct text *out, const char *s, size_t length, size_t most) {
    size_t start = out->length;
    bool blank = true; /* none at the beginning */
    for (size_t i = 0, n; i < length; i += n) {
        unsigned char c = (unsigned char)s[i];
        n = 1;
        if (c <= 0x20 || c == 0x7f) {
            if (!blank) text_put(out, " ", 1);
            blank = true;
            continue;
        }
        while (n < 4 && i + n < length && c >= 0xc0 && ((unsigned char)s[i + n] & 0xc0) == 0x80) n++;
        bool good = text_is_utf8(s + i, n) && !(c == 0xc2 && (unsigned char)s[i + 1] < 0xa0);
        if (out->length - start + n > most - 3) {
            text_put(out, "...", 3);
            return;
        }
        text_put(out, good ? s + i : "?", good ? n : 1);
        blank = false;
    }
    if (blank && out->length > start) out->s[--out->length] = '\0';
}

static void words_put(struct text *out, const json_t *value, const char *before) {
    const char *s = json_string_value(value);
    if (!s || !*s || out->length + strlen(before) + 8 > HTTP_REASON_MOST) return;
    const char *tag = strstr(s, "<br"); /* Glance puts them behind its words */
    if (out->length) text_add(out, "%s", before);
    line_put(out, s, tag ? (size_t)(tag - s) : json_string_length(value), HTTP_REASON_MOST - out->length);
}

/* {"forbidden": {"code": 403, "message": "..."}}: the first member that has both. Keystone's "error" is one
 * of them. */
static void fault_put(struct text *out, const json_t *json) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)json, key, value) {
        if (!json_is_string(json_object_get(value, "message"))) continue;
        words_put(out, json_object_get(value, "message"), "");
        return;
    }
}

static void neutron_put(struct text *out, const json_t *fault) {
    words_put(out, json_object_get(fault, "type"), "");
    words_put(out, json_object_get(fault, "message"), ": ");
    words_put(out, json_object_get(fault, "detail"), ": ");
}

static void nhn_put(struct text *out, const json_t *header) {
    const json_t *code = json_object_get(header, "resultCode");
    words_put(out, json_object_get(header, "resultMessage"), "");
    if (json_is_integer(code))
        text_add(out, "%sresult code %" JSON_INTEGER_FORMAT, out->length ? ", " : "",
                 json_integer_value(code));
}

static void placement_put(struct text *out, const json_t *first) {
    words_put(out, json_object_get(first, "title"), "");
    words_put(out, json_object_get(first, "detail"), ": ");
}

/* The text of an HTML page: what stands between its tags, without its head. */
static void html_strip(const char *body, size_t length, struct text *out) {
    const char *from = memmem(body, length, "<body", 5), *end = body + length;
    for (const char *p = from ? from : body; p < end;) {
        const char *tag = memchr(p, '<', (size_t)(end - p));
        text_put(out, p, (size_t)((tag ? tag : end) - p));
        text_put(out, " ", 1);
        const char *close = tag ? memchr(tag, '>', (size_t)(end - tag)) : NULL;
        if (!close) break;
        p = close + 1;
    }
}

void http_reason(const json_t *json, const char *body, size_t length, struct text *out) {
    struct text words = {0}, page = {0};
    if (json_is_object(json_object_get(json, "NeutronError")))
        neutron_put(&words, json_object_get(json, "NeutronError"));
    else if (json_is_object(json_object_get(json, "header")))
        nhn_put(&words, json_object_get(json, "header"));
    else if (json_is_array(json_object_get(json, "errors")))
        placement_put(&words, json_array_get(json_object_get(json, "errors"), 0));
    else
        fault_put(&words, json);
    if (!words.length) words_put(&words, json_object_get(json, "message"), "");
    if (!words.length) words_put(&words, json_object_get(json, "NeutronError"), "");
    if (!words.length && body) {
        size_t most = length < 65536 ? length : 65536;
        const char *start = body;
        while (start < body + most && isspace((unsigned char)*start)) start++;
        if (start < body + most && *start == '<') {
            html_strip(start, most - (size_t)(start - body), &page);
            line_put(&words, page.s ? page.s : "", page.length, HTTP_REASON_MOST);
        } else {
            line_put(&words, body, most, HTTP_REASON_MOST);
        }
    }
    if (words.length) text_put(out, words.s, words.length);
    text_free(&words);
    text_free(&page);
}
