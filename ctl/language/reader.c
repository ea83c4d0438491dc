/* SPDX-License-Identifier: GPL-2.0-only */
/* Where texts come from: files and patterns of the file system, or texts in memory. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "language/language.h"

/* Reads on until `size` bytes or the end of the file. The bytes read, or -errno. */
static ssize_t read_whole(int fd, char *bytes, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t step = read(fd, bytes + used, size - used);

		if (step < 0 && errno == EINTR)
			continue;
		if (step < 0)
			return -errno;
		if (!step)
			break;
		used += (size_t)step;
	}
	return (ssize_t)used;
}

/* What has no size of its own (a pipe, standard input): read in pieces. */
static int read_stream(int fd, struct arena *arena, struct source_file *ret_file)
{
	_cleanup_buffer_ struct buffer text = { 0 };
	_cleanup_free_ char *piece = malloc(LINE_LENGTH_MAX);
	ssize_t length;

	if (!piece)
		return -ENOMEM;
	do {
		length = read_whole(fd, piece, LINE_LENGTH_MAX);
		if (length < 0)
			return (int)length;
		buffer_add(&text, piece, (size_t)length);
		if (text.length > FILE_SIZE_MAX)
			return -EFBIG;
	} while (length);
	ret_file->text = arena_memdup(arena, buffer_text(&text), text.length);
	ret_file->length = text.length;
	return 0;
}

static int read_fd(int fd, struct arena *arena, struct source_file *ret_file)
{
	struct stat status;
	ssize_t length;
	char *text;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return read_stream(fd, arena, ret_file);
	if ((size_t)status.st_size > FILE_SIZE_MAX)
		return -EFBIG;
	text = arena_alloc(arena, (size_t)status.st_size);
	length = read_whole(fd, text, (size_t)status.st_size);
	if (length < 0)
		return (int)length;
	ret_file->text = text;
	ret_file->length = (size_t)length;
	return 0;
}

static int system_read(const struct file_reader *reader, const char *path, struct arena *arena,
		       struct source_file *ret_file)
{
	struct source_file file = { .path = arena_strndup(arena, path, strlen(path)) };
	_cleanup_close_ int fd = -1;
	int err;

	(void)reader;
	if (!strcmp(path, "-")) {
		err = read_fd(STDIN_FILENO, arena, &file);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		err = read_fd(fd, arena, &file);
	}
	if (err)
		return err;
	*ret_file = file;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The directory is no pattern: what would be special in it is quoted. */
static void add_quoted(struct buffer *buffer, const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[]\\", *text))
			buffer_putc(buffer, '\\');
		buffer_putc(buffer, *text);
	}
}

/* glob() passes nothing on but the errno of what it could not list. */
static _Thread_local int list_error;

/* A directory that is not there holds nothing; one that may not be read might. */
static int stop_listing(const char *path, int error)
{
	(void)path;
	if (error == ENOENT || error == ENOTDIR)
		return 0;
	list_error = error;
	return 1;
}

static int system_match(const struct file_reader *reader, const char *directory,
			const char *pattern, struct arena *arena, struct path_list *ret_paths)
{
	_cleanup_buffer_ struct buffer whole = { 0 };
	const char **paths;
	glob_t found = { 0 };
	int err;

	(void)reader;
	add_quoted(&whole, directory);
	buffer_puts(&whole, pattern);
	err = glob(buffer_text(&whole), GLOB_NOSORT, stop_listing, &found);
	if (err && err != GLOB_NOMATCH) {
		globfree(&found);
		return err == GLOB_NOSPACE ? -ENOMEM : -list_error;
	}
	paths = arena_alloc(arena, (found.gl_pathc + 1) * sizeof(char *));
	for (size_t i = 0; i < found.gl_pathc; i++)
		paths[i] = arena_strndup(arena, found.gl_pathv[i], strlen(found.gl_pathv[i]));
	*ret_paths = (struct path_list){ paths, found.gl_pathc };
	globfree(&found);
	qsort(paths, ret_paths->count, sizeof(char *), compare_names);
	return 0;
}

const struct file_reader file_reader_system = {
	.read = system_read,
	.match = system_match,
};

static int memory_read(const struct file_reader *reader, const char *path, struct arena *arena,
		       struct source_file *ret_file)
{
	(void)arena;
	for (size_t i = 0; i < reader->file_count; i++) {
		if (strcmp(reader->files[i].path, path))
			continue;
		if (reader->files[i].length > FILE_SIZE_MAX)
			return -EFBIG;
		*ret_file = reader->files[i];
		return 0;
	}
	return -ENOENT;
}

static int memory_match(const struct file_reader *reader, const char *directory,
			const char *pattern, struct arena *arena, struct path_list *ret_paths)
{
	const char **paths = arena_alloc(arena, (reader->file_count + 1) * sizeof(char *));
	size_t length = strlen(directory), count = 0;

	for (size_t i = 0; i < reader->file_count; i++) {
		const char *path = reader->files[i].path;

		if (!strncmp(path, directory, length) &&
		    !fnmatch(pattern, path + length, FNM_PATHNAME | FNM_PERIOD))
			paths[count++] = path;
	}
	qsort(paths, count, sizeof(char *), compare_names);
	*ret_paths = (struct path_list){ paths, count };
	return 0;
}

struct file_reader file_reader_memory(const struct source_file *files, size_t count)
{
	return (struct file_reader){
		.read = memory_read,
		.match = memory_match,
		.files = files,
		.file_count = count,
	};
}
