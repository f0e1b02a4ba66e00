/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML for libvirt. One writer, which escapes everything that is not markup, so that no name or key of
 * a tenant can become an element; and a small reader for what libvirt's own library has written
 * (well-formed, no DTD): elements, attributes, text, the five entities and numeric references.
 */
#pragma once
#include "alloc/text.h"

enum { XML_DEEPEST = 24 };

struct xml {
    struct text out;
    const char *open[XML_DEEPEST]; /* names are literals */
    int depth;
    bool tag_open; /* attributes may still be added */
};

void xml_open(struct xml *x, const char *element);
void xml_attr(struct xml *x, const char *name, const char *format, ...) ERR_FORMAT(3, 4);
void xml_text(struct xml *x, const char *format, ...) ERR_FORMAT(2, 3);
void xml_close(struct xml *x);
/* <element>text</element> */
void xml_leaf(struct xml *x, const char *element, const char *format, ...) ERR_FORMAT(3, 4);
/* The document; everything opened must have been closed. The caller frees it. */
char *xml_take(struct xml *x);

struct node_attr {
    char *name, *value;
    struct node_attr *next;
};
struct node {
    char *name;       /* without a namespace prefix */
    struct text text; /* of this element itself, entities resolved */
    struct node_attr *attrs;
    struct node *child, *next;
};

/* NULL and *e when it is not well-formed. node_free(NULL) is fine. */
struct node *node_parse(const char *xml, struct err *e);
void node_free(struct node *n);
/* Below n along "a/b/c", the first of each; NULL when there is none. n may be NULL. */
const struct node *node_find(const struct node *n, const char *path);
const struct node *node_again(const struct node *n);                /* the next sibling of the same name */
const char *node_value(const struct node *n, const char *path);     /* its text, or "" */
const char *node_attribute(const struct node *n, const char *name); /* NULL when absent */
