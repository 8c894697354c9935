/* SPDX-License-Identifier: Apache-2.0 */
#include "host/download/mirrors.h"

#include <string.h>

static bool knows(const struct mirrors *mirrors, const char *url)
{
    for (size_t i = 0; i < mirrors->count; i++) {
        if (strcmp(mirrors->urls[i], url) == 0) {
            return true;
        }
    }
    return false;
}

void mirrors_refresh(struct mirrors *mirrors, const struct download *download)
{
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
    size_t count = download->mirrors(download->context, urls);
    for (size_t i = 0; i < count && mirrors->count < DOWNLOAD_MIRRORS_MAX; i++) {
        if (!knows(mirrors, urls[i])) {
            memcpy(mirrors->urls[mirrors->count], urls[i], sizeof(urls[i]));
            mirrors->dropped[mirrors->count] = false;
            mirrors->count++;
        }
    }
}

int mirrors_next(struct mirrors *mirrors)
{
    for (size_t i = 0; i < mirrors->count; i++) {
        size_t at = (mirrors->next + i) % mirrors->count;
        if (!mirrors->dropped[at]) {
            mirrors->next = at + 1;
            return (int)at;
        }
    }
    return -1;
}

size_t mirrors_left(const struct mirrors *mirrors)
{
    size_t left = 0;
    for (size_t i = 0; i < mirrors->count; i++) {
        left += mirrors->dropped[i] ? 0 : 1;
    }
    return left;
}
