// libvmi's functions, as libvmi.h of version 0.15 declares them, over a file in place of a VM. A page that begins with
// HOLE is not memory; with a file NAME.gone beside it, nothing is any more. Each call but a read goes to NAME.calls.
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { VMI_SUCCESS, VMI_FAILURE } status_t;
typedef enum { VMI_XEN, VMI_KVM, VMI_FILE, VMI_BAREFLANK } vmi_mode_t;
typedef enum { VMI_INIT_ERROR_NONE, VMI_INIT_ERROR_DRIVER_NOT_DETECTED, VMI_INIT_ERROR_DRIVER,
               VMI_INIT_ERROR_VM_NOT_FOUND } vmi_init_error_t;
typedef struct { uint64_t type; void *data; } vmi_init_data_entry_t;
typedef struct { uint64_t count; vmi_init_data_entry_t entry[]; } vmi_init_data_t;
typedef struct vmi_instance { char name[1024]; int fd; uint64_t size; } *vmi_instance_t;
typedef uint64_t addr_t;

enum { PAGE_SIZE_BYTES = 4096 };

static void note(const char *name, const char *format, ...) {
  char path[1100];
  snprintf(path, sizeof path, "%s.calls", name);
  FILE *file = fopen(path, "a");
  va_list values;
  va_start(values, format);
  vfprintf(file, format, values);
  va_end(values);
  fclose(file);
}

static int exists(const char *name, const char *suffix) {
  char path[1100];
  snprintf(path, sizeof path, "%s%s", name, suffix);
  return access(path, F_OK) == 0;
}

status_t vmi_init(vmi_instance_t *vmi, vmi_mode_t mode, const void *domain, uint64_t init_flags,
                  vmi_init_data_t *init_data, vmi_init_error_t *error) {
  int fd = open(domain, O_RDONLY);
  if (fd < 0) {
    *error = VMI_INIT_ERROR_VM_NOT_FOUND;
    *vmi = NULL;
    return VMI_FAILURE;
  }
  struct stat status;
  fstat(fd, &status);
  *vmi = calloc(1, sizeof **vmi);
  snprintf((*vmi)->name, sizeof (*vmi)->name, "%s", (const char *)domain);
  (*vmi)->fd = fd;
  (*vmi)->size = status.st_size;
  note(domain, "init mode %d flags %llu", mode, (unsigned long long)init_flags);
  for (uint64_t entry = 0; init_data != NULL && entry < init_data->count; entry++)
    note(domain, " data %llu %s", (unsigned long long)init_data->entry[entry].type,
         (const char *)init_data->entry[entry].data);
  note(domain, "\n");
  return VMI_SUCCESS;
}

uint64_t vmi_get_memsize(vmi_instance_t vmi) { return vmi->size; }
addr_t vmi_get_max_physical_address(vmi_instance_t vmi) { return vmi->size; }

status_t vmi_read_pa(vmi_instance_t vmi, addr_t paddr, size_t count, void *buf, size_t *bytes_read) {
  if (bytes_read != NULL) *bytes_read = 0;
  if (exists(vmi->name, ".gone")) return VMI_FAILURE;
  for (addr_t page = paddr / PAGE_SIZE_BYTES * PAGE_SIZE_BYTES; page < paddr + count; page += PAGE_SIZE_BYTES) {
    char start[4];
    if (pread(vmi->fd, start, 4, page) != 4 || memcmp(start, "HOLE", 4) == 0) return VMI_FAILURE;
  }
  return pread(vmi->fd, buf, count, paddr) == (ssize_t)count ? VMI_SUCCESS : VMI_FAILURE;
}

status_t vmi_pause_vm(vmi_instance_t vmi) {
  note(vmi->name, "pause\n");
  return exists(vmi->name, ".restless") ? VMI_FAILURE : VMI_SUCCESS;
}

status_t vmi_resume_vm(vmi_instance_t vmi) {
  note(vmi->name, "resume\n");
  return VMI_SUCCESS;
}

status_t vmi_destroy(vmi_instance_t vmi) {
  note(vmi->name, "destroy\n");
  close(vmi->fd);
  free(vmi);
  return VMI_SUCCESS;
}
