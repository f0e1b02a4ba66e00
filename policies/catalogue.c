/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/catalogue.h"

#include "alloc/hash.h"
#include "alloc/json.h"
#include "alloc/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct catalogue {
    json_t *document;
    struct keep memory;
    struct catalogue_part *parts;
    size_t n;
    struct hash hash;
};

enum { PARTS_MOST = 1000, NAME_MOST = 100, NOTE_MOST = 1000, SLICES_MOST = 64, PCI_MOST = 32 };

static const char *const statuses[] = {"vendor", "derived", "unverified", NULL};
static const char *const precisions[] = {"fp64", "fp32", "tf32", "fp16", "bf16", "fp8", "int8", NULL};

const char *figure_status_word(enum figure_status status) { return statuses[status]; }

struct reader {
    struct catalogue *c;
    struct json_at sources;
};

/* {"gflops": 15700, "status": "vendor", "source": "a key of sources"} */
static int read_figure(struct reader *r, const struct json_at *at, const char *unit, int64_t most,
                       struct figure *out, struct err *e) {
    const char *const keys[] = {unit, "status", "source", NULL};
    const char *source;
    size_t status;
    if (json_only(at, keys, e) < 0 || json_need_int(at, unit, 1, most, &out->n, e) < 0 ||
        json_need_word(at, "status", statuses, &status, e) < 0 ||
        json_need_text(at, "source", NAME_MOST, &source, e) < 0)
        return -1;
    if (!json_has(&r->sources, source)) {
        struct json_at wrong = json_member(at, "source");
        return json_fail(&wrong, e, "no source is called '%s'", source);
    }
    out->status = (enum figure_status)status;
    return json_need_text(&r->sources, source, NOTE_MOST, &out->source, e);
}

static int read_ratings(struct reader *r, const struct json_at *owner, const struct catalogue_rating **out,
                        size_t *n, struct err *e) {
    struct json_at list;
    if (json_need_object(owner, "ratings", &list, e) < 0 || json_only(&list, precisions, e) < 0) return -1;
    struct catalogue_rating *ratings =
        keep_add(&r->c->memory, mem_alloc(json_length(&list) * sizeof *ratings));
    *n = 0;
    for (size_t i = 0; precisions[i]; i++) {
        struct json_at figure = json_member(&list, precisions[i]);
        if (!json_has(&list, precisions[i])) continue;
        ratings[*n].precision = precisions[i];
        if (read_figure(r, &figure, "gflops", GFLOPS_MOST, &ratings[(*n)++].gflops, e) < 0) return -1;
    }
    *out = ratings;
    return 0;
}

static bool is_pci(const char *id) {
    const char *p = id;
    for (const char *f = "xxxx:xxxx"; *f; f++, p++)
        if (*f == 'x' ? !strchr("0123456789abcdef", *p) || !*p : *p != *f) return false;
    return *p == '\0';
}

static int read_pci(struct reader *r, const struct json_at *at, const char *key, const char *const **out,
                    size_t *n, struct err *e) {
    struct json_at list;
    if (json_may_array(at, key, PCI_MOST, &list, e) < 0) return -1;
    *n = json_length(&list);
    const char **ids = keep_add(&r->c->memory, mem_alloc(*n * sizeof *ids));
    for (size_t i = 0; i < *n; i++) {
        struct json_at item = json_item(&list, i);
        if (json_as_text(&item, NAME_MOST, &ids[i], e) < 0) return -1;
        if (!is_pci(ids[i]))
            return json_fail(&item, e, "'%s' is not vendor:device in lower-case hexadecimal", ids[i]);
        if (strcmp(key, "pci") == 0 && catalogue_find(r->c, (unsigned)strtoul(ids[i], NULL, 16),
                                                      (unsigned)strtoul(ids[i] + 5, NULL, 16)))
            return json_fail(&item, e, "'%s' belongs to another part already", ids[i]);
    }
    *out = ids;
    return 0;
}

static int read_slice(struct reader *r, const struct json_at *at, struct catalogue_slice *out,
                      struct err *e) {
    static const char *const keys[] = {"profile", "most", "memory", "ratings", NULL};
    struct json_at memory;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "profile", NAME_MOST, &out->profile, e) < 0 ||
        json_need_int(at, "most", 1, 64, &out->most, e) < 0 ||
        json_need_object(at, "memory", &memory, e) < 0 ||
        read_figure(r, &memory, "gb", 1000000, &out->memory, e) < 0)
        return -1;
    return read_ratings(r, at, &out->ratings, &out->n_ratings, e);
}

static int read_slices(struct reader *r, const struct json_at *at, struct catalogue_part *out,
                       struct err *e) {
    struct json_at list;
    if (json_may_array(at, "slices", SLICES_MOST, &list, e) < 0) return -1;
    out->n_slices = json_length(&list);
    struct catalogue_slice *slices = keep_add(&r->c->memory, mem_alloc(out->n_slices * sizeof *slices));
    out->slices = slices;
    for (size_t i = 0; i < out->n_slices; i++) {
        struct json_at item = json_item(&list, i);
        if (read_slice(r, &item, &slices[i], e) < 0) return -1;
    }
    return 0;
}

static int read_part(struct reader *r, const struct json_at *at, struct catalogue_part *out, struct err *e) {
    static const char *const keys[] = {"name",   "title", "pci",    "pci_unverified", "ratings",
                                       "memory", "power", "slices", "note",           NULL};
    struct json_at figure;
    const char *note = NULL;
    const char *const *unverified;
    size_t n_unverified;
    if (json_only(at, keys, e) < 0 || json_need_text(at, "name", NAME_MOST, &out->name, e) < 0 ||
        json_need_text(at, "title", NAME_MOST, &out->title, e) < 0 ||
        read_pci(r, at, "pci", &out->pci, &out->n_pci, e) < 0 ||
        read_pci(r, at, "pci_unverified", &unverified, &n_unverified, e) < 0 ||
        read_ratings(r, at, &out->ratings, &out->n_ratings, e) < 0 || read_slices(r, at, out, e) < 0 ||
        json_may_text(at, "note", NOTE_MOST, &note, e) < 0 || json_may_object(at, "memory", &figure, e) < 0)
        return -1;
    if (catalogue_named(r->c, out->name)) return json_fail(at, e, "'%s' stands twice", out->name);
    out->has_memory = json_has(at, "memory");
    out->has_power = json_has(at, "power");
    if (out->has_memory && read_figure(r, &figure, "gb", 1000000, &out->memory, e) < 0) return -1;
    if (!out->has_power) return 0;
    if (json_need_object(at, "power", &figure, e) < 0) return -1;
    return read_figure(r, &figure, "watts", 100000, &out->power, e);
}

static int read_all(struct catalogue *c, const struct json_at *root, struct err *e) {
    static const char *const keys[] = {"format", "about", "sources", "parts", NULL};
    struct reader r = {.c = c};
    struct json_at parts;
    const char *about = NULL;
    int64_t format;
    if (json_as_object(root, e) < 0 || json_only(root, keys, e) < 0 ||
        json_need_int(root, "format", 1, 1, &format, e) < 0 ||
        json_may_text(root, "about", NOTE_MOST, &about, e) < 0 ||
        json_need_object(root, "sources", &r.sources, e) < 0 ||
        json_need_array(root, "parts", 0, PARTS_MOST, &parts, e) < 0)
        return -1;
    c->parts = keep_add(&c->memory, mem_alloc(json_length(&parts) * sizeof *c->parts));
    for (size_t i = 0; i < json_length(&parts); i++) {
        struct json_at item = json_item(&parts, i);
        if (read_part(&r, &item, &c->parts[i], e) < 0) return -1;
        c->n++;
    }
    return 0;
}

static struct catalogue *catalogue_new(json_t *document, const char *title, struct err *e) {
    if (!document) return NULL;
    struct catalogue *c = mem_alloc(sizeof *c);
    struct json_at root = json_root(document, title);
    c->document = document;
    if (read_all(c, &root, e) < 0) {
        catalogue_free(c);
        return NULL;
    }
    scoped_free char *canonical = json_canonical(document);
    c->hash = hash_of(canonical, strlen(canonical));
    return c;
}

struct catalogue *catalogue_parse(const char *text, const char *title, struct err *e) {
    return catalogue_new(json_load_text(text, strlen(text), title, e), title, e);
}

struct catalogue *catalogue_read(const char *path, struct err *e) {
    return catalogue_new(json_load_path(path, e), path, e);
}

void catalogue_free(struct catalogue *c) {
    if (!c) return;
    keep_end(&c->memory);
    json_decref(c->document);
    free(c);
}

size_t catalogue_parts(const struct catalogue *c) { return c->n; }
const struct catalogue_part *catalogue_part(const struct catalogue *c, size_t i) { return &c->parts[i]; }
const char *catalogue_hash(const struct catalogue *c) { return c->hash.hex; }

const struct catalogue_part *catalogue_find(const struct catalogue *c, unsigned vendor, unsigned device) {
    char id[32];
    snprintf(id, sizeof id, "%04x:%04x", vendor, device);
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; k < c->parts[i].n_pci; k++)
            if (strcmp(c->parts[i].pci[k], id) == 0) return &c->parts[i];
    return NULL;
}

const struct catalogue_part *catalogue_named(const struct catalogue *c, const char *name) {
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->parts[i].name, name) == 0) return &c->parts[i];
    return NULL;
}

const struct figure *catalogue_figure(const struct catalogue_part *part, const char *precision) {
    for (size_t i = 0; i < part->n_ratings; i++)
        if (strcmp(part->ratings[i].precision, precision) == 0) return &part->ratings[i].gflops;
    return NULL;
}
