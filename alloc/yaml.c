/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/yaml.h"

#include "alloc/file.h"
#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* A value with its mark and how many nodes it stands for. */
struct node {
    json_t *value, *mark;
    size_t nodes;
};

enum { ANCHORS_MOST = 1000 }; /* looked up one after the other */

struct anchor {
    char *name;
    struct node node;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *title;
    size_t nodes; /* so far, aliases counted in full */
    struct anchor *anchors;
    size_t n_anchors, room;
    struct err *e;
};

static void node_drop(struct node *node) {
    json_decref(node->value);
    json_decref(node->mark);
    *node = (struct node){0};
}

static int fail_at(struct reader *r, yaml_mark_t at, const char *message) {
    return err_set(r->e, ERR_USAGE, "%s:%zu:%zu: %s", r->title, at.line + 1, at.column + 1, message);
}

static int fail(struct reader *r, const char *message) { return fail_at(r, r->event.start_mark, message); }

static int next_event(struct reader *r) {
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return 0;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR)
        return err_set(r->e, ERR_USAGE, "%s: %s (byte %zu)", r->title, p->problem, p->problem_offset);
    return fail_at(r, p->problem_mark, p->problem ? p->problem : "not YAML");
}

static int count_nodes(struct reader *r, size_t n) {
    r->nodes += n;
    if (r->nodes <= YAML_NODES_MOST) return 0;
    return fail(r, "more than 100000 nodes (aliases are counted each time they are used)");
}

static json_t *mark_at(yaml_mark_t at, json_t *inside) {
    return json_pack("[IIo*]", (json_int_t)at.line + 1, (json_int_t)at.column + 1, inside);
}

/* scalars */

static bool is_one_of(const char *s, const char *const words[], size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, words[i]) == 0) return true;
    return false;
}

/* [-+]? (0b[01_]+ | 0x[hex_]+ | 0[0-7_]* | [1-9][0-9_]*) into *out; false when it is none or too large. */
static bool plain_int(const char *s, json_int_t *out) {
    bool is_negative = *s == '-';
    if (*s == '-' || *s == '+') s++;
    int base = strncmp(s, "0b", 2) == 0 ? 2 : strncmp(s, "0x", 2) == 0 ? 16 : s[0] == '0' && s[1] ? 8 : 10;
    s += base == 2 || base == 16 ? 2 : base == 8 ? 1 : 0;
    if (*s == '\0' || *s == '_') return false;
    json_int_t value = 0;
    for (; *s; s++) {
        if (*s == '_') continue;
        int digit = *s >= '0' && *s <= '9'   ? *s - '0'
                    : *s >= 'a' && *s <= 'f' ? *s - 'a' + 10
                    : *s >= 'A' && *s <= 'F' ? *s - 'A' + 10
                                             : 99;
        if (digit >= base) return false;
        if (__builtin_mul_overflow(value, base, &value)) return false;
        if (__builtin_add_overflow(value, is_negative ? -digit : digit, &value)) return false;
    }
    *out = value;
    return true;
}

static json_t *plain_value(const char *s) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const yes[] = {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
    static const char *const no[] = {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
    json_int_t n;
    if (is_one_of(s, nulls, 5)) return json_null();
    if (is_one_of(s, yes, 9)) return json_true();
    if (is_one_of(s, no, 9)) return json_false();
    return plain_int(s, &n) ? json_integer(n) : json_string(s);
}

static int read_scalar(struct reader *r, struct node *out) {
    const char *s = (const char *)r->event.data.scalar.value;
    const char *tag = (const char *)r->event.data.scalar.tag;
    if (strlen(s) != r->event.data.scalar.length) return fail(r, "text with a NUL character");
    bool is_plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (tag && (strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0))
        is_plain = false;
    else if (tag)
        return fail(r, "tags are not taken here, but !!str");
    *out = (struct node){is_plain ? plain_value(s) : json_string(s), mark_at(r->event.start_mark, NULL), 1};
    return out->value ? 0 : fail(r, "text that is not UTF-8");
}

/* aliases */

static int remember(struct reader *r, const char *name, const struct node *node) {
    if (r->n_anchors == ANCHORS_MOST) return fail(r, "more than 1000 anchors");
    r->anchors = mem_grow(r->anchors, &r->room, r->n_anchors + 1, sizeof *r->anchors);
    r->anchors[r->n_anchors++] =
        (struct anchor){mem_copy(name), {json_incref(node->value), json_incref(node->mark), node->nodes}};
    return 0;
}

static int read_alias(struct reader *r, struct node *out) {
    const char *name = (const char *)r->event.data.alias.anchor;
    for (size_t i = r->n_anchors; i-- > 0;) { /* the latest of that name */
        const struct anchor *a = &r->anchors[i];
        if (strcmp(a->name, name) != 0) continue;
        if (count_nodes(r, a->node.nodes) < 0) return -1;
        *out = (struct node){json_deep_copy(a->node.value),
                             mark_at(r->event.start_mark, json_incref(json_array_get(a->node.mark, 2))),
                             a->node.nodes};
        return 0;
    }
    return fail(r, "an alias of something not yet complete (or not there)");
}

/* collections */

static int read_node(struct reader *r, int depth, struct node *out);

static int read_sequence(struct reader *r, int depth, struct node *out) {
    json_t *marks = json_array();
    *out = (struct node){json_array(), mark_at(r->event.start_mark, marks), 1};
    for (;;) {
        if (next_event(r) < 0) return -1;
        if (r->event.type == YAML_SEQUENCE_END_EVENT) return 0;
        struct node item = {0};
        if (read_node(r, depth + 1, &item) < 0) {
            node_drop(&item);
            return -1;
        }
        json_array_append_new(out->value, item.value);
        json_array_append_new(marks, item.mark);
        out->nodes += item.nodes;
    }
}

/* Keys of `from` that are not in `into` yet. */
static void merge_object(struct node *into, const json_t *from, const json_t *mark) {
    const char *key;
    json_t *value, *inside = json_array_get(into->mark, 2), *marks = json_array_get(mark, 2);
    json_object_foreach((json_t *)from, key, value) {
        if (json_object_get(into->value, key)) continue;
        json_object_set(into->value, key, value);
        json_object_set(inside, key, json_object_get(marks, key));
    }
}

static int merge(struct reader *r, struct node *into, const struct node *from, yaml_mark_t at) {
    if (json_is_object(from->value)) {
        merge_object(into, from->value, from->mark);
        return 0;
    }
    size_t i;
    json_t *item;
    if (!json_is_array(from->value)) return fail_at(r, at, "'<<' takes a mapping or a list of mappings");
    json_array_foreach(from->value, i, item) {
        if (!json_is_object(item)) return fail_at(r, at, "'<<' takes a mapping or a list of mappings");
        merge_object(into, item, json_array_get(json_array_get(from->mark, 2), i));
    }
    return 0;
}

/* A key: its text (to be freed) and whether it is a merge. */
static int read_key(struct reader *r, char **key, bool *is_merge) {
    if (r->event.type != YAML_SCALAR_EVENT) return fail(r, "a key must be a plain word or text");
    if (r->event.data.scalar.anchor) return fail(r, "a key cannot be an anchor");
    const char *s = (const char *)r->event.data.scalar.value;
    if (strlen(s) != r->event.data.scalar.length) return fail(r, "a key with a NUL character");
    if (*s == '\0') return fail(r, "an empty key");
    *is_merge = strcmp(s, "<<") == 0 && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    *key = mem_copy(s);
    return count_nodes(r, 1);
}

static int read_pair(struct reader *r, int depth, struct node *into, struct node *merged) {
    scoped_free char *key = NULL;
    bool is_merge = false;
    yaml_mark_t at = r->event.start_mark;
    if (read_key(r, &key, &is_merge) < 0) return -1;
    if (is_merge ? merged->value != NULL : json_object_get(into->value, key) != NULL) {
        scoped_text struct text message = {0};
        text_add(&message, "the key '%.100s' stands twice", key);
        return fail(r, message.s);
    }
    struct node node = {0}, *value = is_merge ? merged : &node;
    if (next_event(r) < 0 || read_node(r, depth + 1, value) < 0) {
        node_drop(&node);
        return -1;
    }
    into->nodes += value->nodes + 1;
    if (is_merge) return 0;
    json_object_set_new(into->value, key, node.value);
    json_array_set_new(node.mark, 0, json_integer((json_int_t)at.line + 1)); /* people look for the key */
    json_array_set_new(node.mark, 1, json_integer((json_int_t)at.column + 1));
    json_object_set_new(json_array_get(into->mark, 2), key, node.mark);
    return 0;
}

static int read_mapping(struct reader *r, int depth, struct node *out) {
    struct node merged = {0};
    yaml_mark_t start = r->event.start_mark;
    *out = (struct node){json_object(), mark_at(start, json_object()), 1};
    int status = 0;
    while (status == 0 && (status = next_event(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT)
        status = read_pair(r, depth, out, &merged);
    if (status == 0 && merged.value) status = merge(r, out, &merged, start);
    node_drop(&merged);
    return status;
}

static char *anchor_of(const yaml_event_t *event) {
    return mem_copy(event->type == YAML_SCALAR_EVENT           ? (char *)event->data.scalar.anchor
                    : event->type == YAML_SEQUENCE_START_EVENT ? (char *)event->data.sequence_start.anchor
                    : event->type == YAML_MAPPING_START_EVENT  ? (char *)event->data.mapping_start.anchor
                                                               : NULL);
}

/* The node that begins with the current event. *out may be half filled on failure: drop it. */
static int read_node(struct reader *r, int depth, struct node *out) {
    if (r->event.type == YAML_ALIAS_EVENT) return read_alias(r, out);
    if (depth > YAML_DEPTH_MOST) return fail(r, "nested deeper than 32 levels");
    if (count_nodes(r, 1) < 0) return -1;
    scoped_free char *anchor = anchor_of(&r->event);
    int status = r->event.type == YAML_SCALAR_EVENT           ? read_scalar(r, out)
                 : r->event.type == YAML_SEQUENCE_START_EVENT ? read_sequence(r, depth, out)
                                                              : read_mapping(r, depth, out);
    return status == 0 && anchor ? remember(r, anchor, out) : status;
}

static int read_stream(struct reader *r, struct node *out) {
    if (next_event(r) < 0 || next_event(r) < 0) return -1; /* the start of the stream, of the document */
    if (r->event.type == YAML_STREAM_END_EVENT) {
        *out = (struct node){json_null(), json_pack("[ii]", 1, 1), 1};
        return 0;
    }
    if (next_event(r) < 0 || read_node(r, 1, out) < 0) return -1;
    if (next_event(r) < 0 || next_event(r) < 0) return -1; /* the end of the document */
    return r->event.type == YAML_STREAM_END_EVENT ? 0 : fail(r, "a second document");
}

json_t *yaml_load_text(const char *bytes, size_t length, const char *title, json_t **marks, struct err *e) {
    struct reader r = {.title = title, .e = e};
    struct node node = {0};
    int status = 0;
    if (marks) *marks = NULL;
    if (length > YAML_BYTES_MOST) status = err_set(e, ERR_USAGE, "%s: more than 1 MiB", title);
    if (status == 0 && !yaml_parser_initialize(&r.parser)) abort();
    if (status == 0) {
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, length);
        status = read_stream(&r, &node);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.parser);
    }
    for (size_t i = 0; i < r.n_anchors; i++) {
        free(r.anchors[i].name);
        node_drop(&r.anchors[i].node);
    }
    free(r.anchors);
    if (status < 0) node_drop(&node);
    if (marks) *marks = json_incref(node.mark);
    json_decref(node.mark);
    return node.value;
}

json_t *yaml_load_path(const char *path, json_t **marks, struct err *e) {
    scoped_text struct text bytes = {0};
    if (marks) *marks = NULL;
    if (file_read(path, YAML_BYTES_MOST, &bytes, e) < 0) return NULL;
    return yaml_load_text(bytes.s, bytes.length, file_title(path), marks, e);
}
