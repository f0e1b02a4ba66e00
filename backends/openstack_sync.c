/* SPDX-License-Identifier: Apache-2.0 */
/* Is what the settings name there, for each project? */
#include "backends/openstack.h"

#include "alloc/scope.h"

#include <stdlib.h>
#include <string.h>

static void say(struct text *words, const struct err *e) {
    text_add(words, "%s%s%s%s%s", words->length ? "; " : "", e->what, e->hint[0] ? " (" : "", e->hint,
             e->hint[0] ? ")" : "");
}

/* Every row of the table is a size of the cloud, and every flavor has one. */
static int sizes_sync(struct project *p, struct text *words, struct err *e) {
    const struct settings *s = &p->run->settings;
    const struct size_setting *setting;
    json_t *list scoped_json = flavors_get(p, e);
    if (!list) return -1;
    for (size_t i = 0; i < s->n_sizes; i++) {
        struct err own = {0};
        if (!size_find(s, list, s->sizes[i].flavor, s->sizes[i].units, &setting, &own)) say(words, &own);
    }
    for (size_t i = 0; i < s->n_flavors; i++) {
        size_t k, n = 0;
        json_t *size;
        if (!s->flavors[i].resource && !s->flavors[i].alias) continue;
        json_array_foreach(list, k, size) n += size_units(&s->flavors[i], size) > 0;
        if (n == 0)
            text_add(words, "%sthe cloud has no size with units of %s (%s)", words->length ? "; " : "",
                     s->flavors[i].name,
                     s->flavors[i].resource ? s->flavors[i].resource_key : s->flavors[i].alias);
    }
    return 0;
}

/* What is not there is said; what could not be asked is an error. */
static int said(int rc, struct text *words, struct err *e) {
    if (rc == 0 || e->code == ERR_RETRY || e->code == ERR_UNKNOWN) return rc;
    say(words, e);
    err_clear(e);
    return 0;
}

static int image_sync(struct project *p, struct text *words, struct err *e) {
    char *id scoped_free = image_get(p, e);
    if (!id) return said(-1, words, e);
    if (strcmp(id, p->run->settings.image) != 0) return 0; /* found by its name */
    struct text path scoped_text = {0};
    json_t *image scoped_json = NULL;
    text_add(&path, "/v2/images/%s", id);
    if (call_get(p, "image", path.s, &image, e) < 0) return said(-1, words, e);
    if (!image) text_add(words, "%sthe cloud has no image %s", words->length ? "; " : "", id);
    return 0;
}

static int named_sync(struct project *p, const struct listing *l, const char *key, const char *name,
                      const char *what, struct text *words, struct err *e) {
    if (!name) return 0;
    json_t *found scoped_json = list_find(p, l, key, name, what, e);
    return said(found ? 0 : -1, words, e);
}

int project_sync(struct project *p, struct text *words, struct err *e) {
    static const struct listing types = {"block-storage", "/types", "volume_types", PAGES_NONE, false, NULL},
                                zones = {"compute",
                                         "/os-availability-zone",
                                         "availabilityZoneInfo",
                                         PAGES_NONE,
                                         false,
                                         NULL};
    const struct settings *s = &p->run->settings;
    if (session_ready(p->session, p->run->until, e) < 0) return -1;
    if (s->deliver == DELIVER_QUOTA) return sizes_sync(p, words, e);
    if (sizes_sync(p, words, e) < 0 || image_sync(p, words, e) < 0 ||
        named_sync(p, &types, "name", s->volume_type, "volume type", words, e) < 0 ||
        named_sync(p, &zones, "zoneName", s->availability_zone, "availability zone", words, e) < 0)
        return -1;
    return s->network ? said(network_ensure(p, NULL, e), words, e) : 0;
}
