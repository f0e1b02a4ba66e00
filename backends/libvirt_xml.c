/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/libvirt_xml.h"

#include "alloc/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writer ---- */

static void escape(struct text *out, const char *s) {
    for (; *s; s++) {
        switch (*s) {
        case '<': text_add(out, "&lt;"); break;
        case '>': text_add(out, "&gt;"); break;
        case '&': text_add(out, "&amp;"); break;
        case '"': text_add(out, "&quot;"); break;
        case '\'': text_add(out, "&apos;"); break;
        case '\n':
        case '\t':
        case '\r': text_add(out, "&#%d;", *s); break;
        default: /* XML 1.0 has no way to say the other control characters */
            text_put(out, (unsigned char)*s < 0x20 || *s == 0x7f ? "?" : s, 1);
        }
    }
}

ERR_FORMAT(2, 0)
static void escape_format(struct text *out, const char *format, va_list args) {
    char *plain scoped_free = NULL;
    if (vasprintf(&plain, format, args) < 0) abort();
    escape(out, plain);
}

static void tag_end(struct xml *x) {
    if (x->tag_open) text_add(&x->out, ">");
    x->tag_open = false;
}

void xml_open(struct xml *x, const char *element) {
    if (x->depth == XML_DEEPEST) abort();
    tag_end(x);
    text_add(&x->out, "<%s", element);
    x->open[x->depth++] = element;
    x->tag_open = true;
}

void xml_attr(struct xml *x, const char *name, const char *format, ...) {
    if (!x->tag_open) abort();
    va_list args;
    text_add(&x->out, " %s=\"", name);
    va_start(args, format);
    escape_format(&x->out, format, args);
    va_end(args);
    text_add(&x->out, "\"");
}

void xml_text(struct xml *x, const char *format, ...) {
    va_list args;
    tag_end(x);
    va_start(args, format);
    escape_format(&x->out, format, args);
    va_end(args);
}

void xml_close(struct xml *x) {
    if (x->depth == 0) abort();
    const char *element = x->open[--x->depth];
    if (x->tag_open)
        text_add(&x->out, "/>");
    else
        text_add(&x->out, "</%s>", element);
    x->tag_open = false;
}

void xml_leaf(struct xml *x, const char *element, const char *format, ...) {
    va_list args;
    xml_open(x, element);
    tag_end(x);
    va_start(args, format);
    escape_format(&x->out, format, args);
    va_end(args);
    xml_close(x);
}

char *xml_take(struct xml *x) {
    if (x->depth != 0) abort();
    return text_take(&x->out);
}

/* ---- reader ---- */

struct reader {
    const char *at, *start;
    struct err *e;
    int depth;
};

static int broken(struct reader *r, const char *why) {
    return err_set(r->e, ERR_FAILED, "XML is broken at byte %zu: %s", (size_t)(r->at - r->start), why);
}

static bool starts(const struct reader *r, const char *s) { return strncmp(r->at, s, strlen(s)) == 0; }

static void put_code_point(struct text *out, unsigned long c) {
    char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6) b[i] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)(lead[n] | c);
    text_put(out, b, n);
}

static int read_entity(struct reader *r, struct text *out) {
    static const struct {
        const char *name, *is;
    } known[] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!starts(r, known[i].name)) continue;
        text_put(out, known[i].is, 1);
        r->at += strlen(known[i].name);
        return 0;
    }
    if (!starts(r, "&#")) return broken(r, "unknown entity");
    bool hex = r->at[2] == 'x';
    char *end;
    unsigned long c = strtoul(r->at + (hex ? 3 : 2), &end, hex ? 16 : 10);
    if (*end != ';' || c == 0 || c > 0x10ffff) return broken(r, "wrong character reference");
    put_code_point(out, c);
    r->at = end + 1;
    return 0;
}

/* Text until one of the stop characters, entities resolved. */
static int read_until(struct reader *r, const char *stop, struct text *out) {
    while (*r->at && !strchr(stop, *r->at)) {
        size_t n = strcspn(r->at, "&") < strcspn(r->at, stop) ? strcspn(r->at, "&") : strcspn(r->at, stop);
        text_put(out, r->at, n);
        r->at += n;
        if (*r->at == '&' && read_entity(r, out) < 0) return -1;
    }
    return *r->at ? 0 : broken(r, "ends too early");
}

static void skip_space(struct reader *r) { r->at += strspn(r->at, " \t\r\n"); }

static char *read_name(struct reader *r) {
    size_t n = strcspn(r->at, " \t\r\n=/><'\"&");
    if (n == 0) {
        broken(r, "a name is missing");
        return NULL;
    }
    const char *colon = memchr(r->at, ':', n);
    size_t skip = colon ? (size_t)(colon - r->at) + 1 : 0;
    char *name = mem_alloc(n - skip + 1);
    memcpy(name, r->at + skip, n - skip);
    r->at += n;
    return name;
}

static int read_attribute(struct reader *r, struct node *n) {
    struct node_attr *a = mem_alloc(sizeof *a);
    a->next = n->attrs;
    n->attrs = a;
    a->name = read_name(r);
    if (!a->name) return -1;
    skip_space(r);
    if (*r->at != '=') return broken(r, "an attribute has no value");
    r->at++;
    skip_space(r);
    const char quote[] = {*r->at, '\0'};
    if (*quote != '"' && *quote != '\'') return broken(r, "a value is not quoted");
    r->at++;
    struct text value = {0};
    int rc = read_until(r, quote, &value);
    a->value = text_take(&value);
    if (rc == 0) r->at++;
    return rc;
}

/* Comments, declarations, CDATA: 1 one was taken, 0 none here, -1 broken. */
static int read_aside(struct reader *r, struct text *text) {
    static const struct {
        const char *open, *close;
    } kinds[] = {{"<!--", "-->"}, {"<?", "?>"}, {"<![CDATA[", "]]>"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!starts(r, kinds[i].open)) continue;
        const char *body = r->at + strlen(kinds[i].open), *end = strstr(body, kinds[i].close);
        if (!end) return broken(r, "ends too early");
        if (i == 2 && text) text_put(text, body, (size_t)(end - body));
        r->at = end + strlen(kinds[i].close);
        return 1;
    }
    return 0;
}

static struct node *read_element(struct reader *r);

static int read_content(struct reader *r, struct node *n) {
    struct node **last = &n->child;
    while (!starts(r, "</")) {
        if (*r->at != '<') {
            if (read_until(r, "<", &n->text) < 0) return -1;
            continue;
        }
        int aside = read_aside(r, &n->text);
        if (aside < 0) return -1;
        if (aside) continue;
        struct node *child = read_element(r);
        if (!child) return -1;
        *last = child;
        last = &child->next;
    }
    r->at += 2;
    char *name scoped_free = read_name(r);
    if (!name) return -1;
    skip_space(r);
    if (strcmp(name, n->name) != 0 || *r->at != '>') return broken(r, "an end tag does not match");
    r->at++;
    return 0;
}

static struct node *read_element(struct reader *r) {
    if (*r->at != '<' || ++r->depth > 200) {
        broken(r, "no element where one must be, or too deep");
        return NULL;
    }
    r->at++;
    struct node *n = mem_alloc(sizeof *n);
    n->name = read_name(r);
    bool ok = n->name != NULL;
    for (skip_space(r); ok && *r->at != '>' && *r->at != '/'; skip_space(r)) ok = read_attribute(r, n) == 0;
    if (ok && starts(r, "/>"))
        r->at += 2;
    else if (ok && *r->at == '>')
        r->at++, ok = read_content(r, n) == 0;
    else if (ok)
        ok = broken(r, "a tag does not end") == 0;
    r->depth--;
    if (ok) return n;
    node_free(n);
    return NULL;
}

struct node *node_parse(const char *xml, struct err *e) {
    struct reader r = {.at = xml, .start = xml, .e = e};
    for (int aside = 1; aside > 0;) {
        skip_space(&r);
        if ((aside = read_aside(&r, NULL)) < 0) return NULL;
    }
    return read_element(&r);
}

void node_free(struct node *n) {
    while (n) {
        struct node *next = n->next;
        node_free(n->child);
        while (n->attrs) {
            struct node_attr *a = n->attrs;
            n->attrs = a->next;
            free(a->name);
            free(a->value);
            free(a);
        }
        free(n->name);
        text_free(&n->text);
        free(n);
        n = next;
    }
}

const struct node *node_find(const struct node *n, const char *path) {
    while (n && *path) {
        size_t length = strcspn(path, "/");
        for (n = n->child; n; n = n->next)
            if (strncmp(n->name, path, length) == 0 && n->name[length] == '\0') break;
        path += length + (path[length] == '/');
    }
    return n;
}

const struct node *node_again(const struct node *n) {
    for (const struct node *m = n->next; m; m = m->next)
        if (strcmp(m->name, n->name) == 0) return m;
    return NULL;
}

const char *node_value(const struct node *n, const char *path) {
    const struct node *m = node_find(n, path);
    return m && m->text.s ? m->text.s : "";
}

const char *node_attribute(const struct node *n, const char *name) {
    for (const struct node_attr *a = n ? n->attrs : NULL; a; a = a->next)
        if (strcmp(a->name, name) == 0) return a->value;
    return NULL;
}
