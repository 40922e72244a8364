/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Lists linked through their elements, with the names and the behaviour of <sys/queue.h>, which is
 * missing from some C libraries. A list owns nothing: elements are linked and unlinked by their
 * owners. LIST is doubly linked and removes any element; STAILQ is a queue.
 */

#pragma once

#include <stddef.h>

#define LIST_HEAD(name, type)                                                                      \
	struct name {                                                                              \
		struct type *lh_first;                                                             \
	}

/* le_prev is the pointer that points to this element. */
#define LIST_ENTRY(type)                                                                           \
	struct {                                                                                   \
		struct type *le_next, **le_prev;                                                   \
	}

#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_EMPTY(head) ((head)->lh_first == NULL)
#define LIST_NEXT(element, field) ((element)->field.le_next)
#define LIST_FOREACH(element, head, field)                                                         \
	for ((element) = LIST_FIRST(head); (element); (element) = LIST_NEXT(element, field))

#define LIST_INSERT_HEAD(head, element, field)                                                     \
	do {                                                                                       \
		(element)->field.le_next = (head)->lh_first;                                       \
		if ((head)->lh_first != NULL)                                                      \
			(head)->lh_first->field.le_prev = &(element)->field.le_next;               \
		(head)->lh_first = (element);                                                      \
		(element)->field.le_prev = &(head)->lh_first;                                      \
	} while (0)

#define LIST_REMOVE(element, field)                                                                \
	do {                                                                                       \
		if ((element)->field.le_next != NULL)                                              \
			(element)->field.le_next->field.le_prev = (element)->field.le_prev;        \
		*(element)->field.le_prev = (element)->field.le_next;                              \
	} while (0)

/* stqh_last is where the next element is linked. */
#define STAILQ_HEAD(name, type)                                                                    \
	struct name {                                                                              \
		struct type *stqh_first, **stqh_last;                                              \
	}

#define STAILQ_ENTRY(type)                                                                         \
	struct {                                                                                   \
		struct type *stqe_next;                                                            \
	}

#define STAILQ_INIT(head)                                                                          \
	do {                                                                                       \
		(head)->stqh_first = NULL;                                                         \
		(head)->stqh_last = &(head)->stqh_first;                                           \
	} while (0)

#define STAILQ_FIRST(head) ((head)->stqh_first)

#define STAILQ_INSERT_HEAD(head, element, field)                                                   \
	do {                                                                                       \
		(element)->field.stqe_next = (head)->stqh_first;                                   \
		if ((head)->stqh_first == NULL)                                                    \
			(head)->stqh_last = &(element)->field.stqe_next;                           \
		(head)->stqh_first = (element);                                                    \
	} while (0)

#define STAILQ_INSERT_TAIL(head, element, field)                                                   \
	do {                                                                                       \
		(element)->field.stqe_next = NULL;                                                 \
		*(head)->stqh_last = (element);                                                    \
		(head)->stqh_last = &(element)->field.stqe_next;                                   \
	} while (0)

#define STAILQ_REMOVE_HEAD(head, field)                                                            \
	do {                                                                                       \
		(head)->stqh_first = (head)->stqh_first->field.stqe_next;                          \
		if ((head)->stqh_first == NULL)                                                    \
			(head)->stqh_last = &(head)->stqh_first;                                   \
	} while (0)

/* ELEMENT must be in the list. */
#define STAILQ_REMOVE(head, element, type, field)                                                  \
	do {                                                                                       \
		struct type **stq_link = &(head)->stqh_first;                                      \
                                                                                                   \
		while (*stq_link != (element))                                                     \
			stq_link = &(*stq_link)->field.stqe_next;                                  \
		*stq_link = (element)->field.stqe_next;                                            \
		if (*stq_link == NULL)                                                             \
			(head)->stqh_last = stq_link;                                              \
	} while (0)
