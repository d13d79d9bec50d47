/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The only things that the engine takes from its surroundings. User space and
 * the kernel module each provide the functions on memory; memcpy,
 * memmove, memset and memcmp may be emitted by the compiler.
 */
#ifndef VEXFS_ENGINE_PLATFORM_H
#define VEXFS_ENGINE_PLATFORM_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <asm/errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#ifdef __cplusplus
#include <cstring> /* its declarations differ from ours */
#else
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
#endif
#endif

/* Zeroed memory aligned to 64 bytes, or NULL. May sleep. */
void *vexfs_alloc(size_t bytes);
/* The same for what is read at random and will be used whole: in huge pages where
 * there are any. */
void *vexfs_alloc_huge(size_t bytes);
void vexfs_free(void *memory, size_t bytes); /* of either */

/* Publication between one writer and many readers. */
#define vexfs_load_acquire(place) __atomic_load_n((place), __ATOMIC_ACQUIRE)
#define vexfs_store_release(place, value) \
	__atomic_store_n((place), (value), __ATOMIC_RELEASE)
#define vexfs_load_relaxed(place) __atomic_load_n((place), __ATOMIC_RELAXED)
#define vexfs_store_relaxed(place, value) \
	__atomic_store_n((place), (value), __ATOMIC_RELAXED)

/* Functions that read what a writer may be changing, and say what that does. */
#ifdef __SANITIZE_THREAD__
#define VEXFS_READS_RACILY __attribute__((no_sanitize("thread")))
#else
#define VEXFS_READS_RACILY
#endif

/* Between workers of one command. */
#define vexfs_exchange(place, value) \
	__atomic_exchange_n((place), (value), __ATOMIC_ACQ_REL)
#define vexfs_compare_exchange(place, expected, value)                   \
	__atomic_compare_exchange_n((place), (expected), (value), false, \
				    __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)
/* The sum, the difference. */
#define vexfs_add(place, value) \
	__atomic_add_fetch((place), (value), __ATOMIC_ACQ_REL)
#define vexfs_sub(place, value) \
	__atomic_sub_fetch((place), (value), __ATOMIC_ACQ_REL)
/* All in one order: who stores here and then loads there meets who does the
 * same the other way round. */
#define vexfs_store_ordered(place, value) \
	__atomic_store_n((place), (value), __ATOMIC_SEQ_CST)
#define vexfs_load_ordered(place) __atomic_load_n((place), __ATOMIC_SEQ_CST)

#endif
