// Starts another kernel in the place of this one, without firmware in between (kexec_file_load(2), reboot(2)):
//
//   kexec KERNEL INITRAMFS COMMAND-LINE    loads it
//   kexec                                  jumps to it
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int load(const char *kernel_path, const char *initramfs_path, const char *line) {
  const int kernel = open(kernel_path, O_RDONLY);
  const int initramfs = open(initramfs_path, O_RDONLY);
  if (kernel >= 0 && initramfs >= 0 &&
      syscall(SYS_kexec_file_load, kernel, initramfs, strlen(line) + 1, line, 0) == 0) {
    return 0;
  }
  perror("load");
  return 1;
}

int main(int count, char **words) {
  if (count == 4) return load(words[1], words[2], words[3]);
  syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
  perror("jump");
  return 1;
}
