/* SPDX-License-Identifier: Apache-2.0 */
/* The urls of one image, taken in turn; those that will not do are dropped. Joiners add more while
 * the download runs.
 *
 * Threads  one owner.
 * Owner    holds copies.
 */
#ifndef HOST_MIRRORS_H
#define HOST_MIRRORS_H

#include "host/download/download.h"

struct mirrors {
    size_t count;
    size_t next;
    bool dropped[DOWNLOAD_MIRRORS_MAX];
    char urls[DOWNLOAD_MIRRORS_MAX][URL_MAX + 1];
};

/* Takes over the urls that are not known yet, and leaves the others as they are. */
void mirrors_refresh(struct mirrors *mirrors, const struct download *download);

/* The next one's index in turn; -1 when none is left. */
int mirrors_next(struct mirrors *mirrors);

/* How many are left. */
size_t mirrors_left(const struct mirrors *mirrors);

#endif
