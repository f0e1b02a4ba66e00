/* SPDX-License-Identifier: Apache-2.0 */
/* What servers are made of: sizes and images of the cloud, asked for once in a run. */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static const char *member(const json_t *thing, const char *key) {
    return json_string_value(json_object_get(thing, key));
}

static int keep_all(void *arg, const json_t *thing, struct err *e) {
    (void)e;
    json_array_append(arg, (json_t *)thing);
    return 0;
}

json_t *flavors_get(struct project *p, struct err *e) {
    json_t *list = json_array();
    if (list_each(p, &p->run->settings.dialect->flavors, NULL, keep_all, list, e) == 0) return list;
    json_decref(list);
    return NULL;
}

int flavors_look(struct project *p, const json_t **out, struct err *e) {
    struct run *run = p->run;
    pthread_mutex_lock(&run->asking);
    if (!run->flavors) run->flavors = flavors_get(p, e);
    pthread_mutex_unlock(&run->asking);
    *out = run->flavors;
    if (run->flavors) return 0;
    e->code = ERR_RETRY;
    return -1;
}

struct image_look {
    const char *name;
    char *id, *other;
};

static int image_one(void *arg, const json_t *image, struct err *e) {
    (void)e;
    struct image_look *l = arg;
    const char *name = member(image, "name"), *id = member(image, "id");
    bool same = id && ((name && strcmp(name, l->name) == 0) || strcmp(id, l->name) == 0);
    if (same && !l->id)
        l->id = mem_copy(id);
    else if (same && !l->other)
        l->other = mem_copy(id);
    return 0;
}

char *image_get(struct project *p, struct err *e) {
    static const struct listing images = {"image", "/v2/images", "images", PAGES_BY_MARKER, false, NULL};
    const char *wanted = p->run->settings.image;
    struct image_look l = {.name = wanted};
    if (is_uuid(wanted)) return mem_copy(wanted);
    struct text filter scoped_text = {0};
    char *escaped scoped_free = call_escape(wanted);
    text_add(&filter, "name=%s", escaped);
    int rc = list_each(p, &images, filter.s, image_one, &l, e);
    if (rc < 0) e->code = ERR_RETRY; /* not asked: it may be there */
    if (rc == 0 && !l.id)
        rc = err_set(e, ERR_FAILED, "the cloud has no image \"%s\" for project %s", wanted, p->host->name);
    if (rc == 0 && l.other)
        rc = err_set(e, ERR_FAILED, "the cloud has two images \"%s\": say %s or %s in settings.image", wanted,
                     l.id, l.other);
    free(l.other);
    if (rc == 0) return l.id;
    free(l.id);
    return NULL;
}

int image_look(struct project *p, const char **id, struct err *e) {
    struct run *run = p->run;
    pthread_mutex_lock(&run->asking);
    if (!run->image) run->image = image_get(p, e);
    pthread_mutex_unlock(&run->asking);
    *id = run->image;
    return run->image ? 0 : -1;
}

bool is_uuid(const char *text) {
    size_t digits = 0;
    for (const char *c = text; *c; c++) {
        if (strchr("0123456789abcdefABCDEF", *c))
            digits++;
        else if (*c != '-')
            return false;
    }
    return digits == 32;
}
