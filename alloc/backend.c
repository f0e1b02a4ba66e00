/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/backend.h"

#include <stdlib.h>

const char *backend_answer_word(enum backend_answer a) {
    static const char *const words[] = {"done", "started", "nothing happened", "refused", "unknown"};
    return words[a];
}

const char *const backend_kind_words[] = {"server", "volume", "container", "quota", NULL};

const char *backend_state_word(enum backend_state s) {
    static const char *const words[] = {"running", "paused", "stopped", "failed", "present", "starting"};
    return words[s];
}

bytes_t backend_volume_size(bytes_t booked) {
    int64_t over = booked.n % BACKEND_VOLUME_STEP;
    bool is_last = booked.n > INT64_MAX - BACKEND_VOLUME_STEP; /* no whole step above it: as it is */
    return over == 0 || is_last ? booked : bytes(booked.n - over + BACKEND_VOLUME_STEP);
}

bool backend_volume_fits(bytes_t booked, bytes_t there) {
    return bytes_cmp(there, booked) == 0 || bytes_cmp(there, backend_volume_size(booked)) == 0;
}

void backend_view_free(struct backend_view *view) {
    for (size_t i = 0; i < view->n_seen; i++) {
        free(view->seen[i].token);
        free(view->seen[i].name);
        free(view->seen[i].host);
        json_decref(view->seen[i].connection);
        for (size_t k = 0; k < view->seen[i].n_limits; k++) free((char *)view->seen[i].limits[k].flavor);
        free(view->seen[i].limits);
    }
    for (size_t i = 0; i < view->n_slots; i++) {
        struct backend_found_slot *s = &view->slots[i];
        free(s->host);
        free(s->flavor);
        free(s->name);
        free(s->address);
        free(s->attach);
        free(s->description);
    }
    for (size_t i = 0; i < view->n_hosts; i++) {
        free(view->hosts[i].host);
        free(view->hosts[i].detail);
    }
    free(view->seen);
    free(view->slots);
    free(view->hosts);
    *view = (struct backend_view){0};
}
