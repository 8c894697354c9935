/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest web server that an upgrade can be fetched from: on loopback, one image whatever is
 * asked for. */
#ifndef MATRIX_WEB_H
#define MATRIX_WEB_H

#include <stdint.h>

enum { WEB_URL_MAX = 64 };

/* SHA-256 of the image. */
#define WEB_IMAGE_HASH "5fce37f3129150ce7ec3939b54016d9c1fd01364e27b0a788dc634064aec76b1"

struct web;

/* A failure ends the test program. */
struct web *web_start(char url[WEB_URL_MAX]);
void web_stop(struct web *web);

#endif
