/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values: the one place that knows the JSON library.
 *
 * Reading is strict: one value and nothing behind it, keys that do not repeat, UTF-8 without NUL
 * and without surrogates that lack their other half, numbers that fit.
 *
 * Threads  any; a value belongs to one thread.
 * Errors   0 or -errno. Makers have no result to look at: what could not be made is NULL, makes
 *          NULL of what it is put into, and is found when that is written (-ENOMEM).
 * Owner    json_free frees a value and what is in it. Members and texts are the value's.
 */
#ifndef COMPAT_JSON_H
#define COMPAT_JSON_H

#include "compat/dialect.h"

struct json;

/* 0, or -EBADMSG with *why, which says in a few words what the bytes have that JSON has not. */
MUST_CHECK int json_parse(const uint8_t *bytes, size_t length, struct json **ret, const char **why);
struct json *json_free(struct json *value);

/* All of these take NULL for a value that is not there. */

/* NULL when it is not an object, or has no such member. */
const struct json *json_member(const struct json *object, const char *key);
/* How many members an object has; 0 for what is none. */
size_t json_members(const struct json *object);
bool json_says_null(const struct json *value);
/* -EINVAL: not a string. */
MUST_CHECK int json_get_text(const struct json *value, struct text *ret);
/* -EINVAL: not written as an integer. -ERANGE: outside 0 to max. */
MUST_CHECK int json_get_number(const struct json *value, uint64_t max, uint64_t *ret);

struct json *json_make_object(void);
struct json *json_make_null(void);
/* The text is UTF-8 without NUL. */
struct json *json_make_text(struct text text);
/* Numbers above INT64_MAX, which the library cannot hold, become that. */
struct json *json_make_number(uint64_t number);
/* Appends a member; takes the value. */
void json_put(struct json **object, const char *key, struct json *value);

/* Appends the value: compact, members in the order in which they were put. Takes the value. 0,
 * -ENOBUFS or -ENOMEM. */
MUST_CHECK int json_write(struct json *value, struct reply *out);
/* The same in ASCII alone, as a text that the caller frees. */
MUST_CHECK int json_print(struct json *value, char **ret);

#endif
