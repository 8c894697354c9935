/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for a test of the configuration, which it works in: so that names in messages
 * are short and always the same. */
#ifndef TESTS_CONF_SUPPORT_H
#define TESTS_CONF_SUPPORT_H

#include "host/conf/conf.h"

/* Each run of a test: enter first, leave last. */
void sandbox_enter(void);
void sandbox_leave(void);

void sandbox_write(const char *path, const char *text);
void sandbox_write_bytes(const char *path, const void *bytes, size_t length);
void sandbox_make_folder(const char *path);

/* Loads "main.conf", which must be good. */
struct conf *sandbox_load(void);
/* Writes "main.conf", loads it and returns the problem; "" when there was none. */
const char *sandbox_problem(const char *text);
/* Loads "main.conf" as it is; the same. */
const char *sandbox_load_problem(char *const listen[]);

/* What conf_dump writes; free it. */
char *sandbox_dump(const struct conf *conf);

#endif
