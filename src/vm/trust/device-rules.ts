// Which devices have nothing to do with the host but through other options, and what others do. What is in neither table is
// not known, and is not run on a snapshot's word. (QEMU `-device help`)
import type { Refusal } from './option-rules.js';

/** Devices that have nothing to do with the host but through other options; names of types, also with these endings. */
const harmlessDeviceNames: readonly RegExp[] = [
  /^(?:virtio-(?:blk|scsi|net|serial|rng|balloon|gpu|vga|vga-gl|gpu-gl|keyboard|mouse|tablet|mem|pmem|iommu|crypto|9p|sound|multitouch)|virtio-vga|virtio-vga-gl)(?:-pci|-device|-ccw|-pci-bus)?(?:-(?:non-)?transitional)?$/,
  /^(?:virtconsole|virtserialport)$/,
  /^(?:pcie?-root-port|pcie-pci-bridge|pci-bridge|pci-bridge-seat|i82801b11-bridge|ioh3420|pxb|pxb-pcie|pxb-cxl|x3130-upstream|xio3130-downstream)$/,
  /^(?:ide-(?:hd|cd|drive)|scsi-(?:hd|cd|disk)|nvme|nvme-ns|nvme-subsys|floppy|isa-fdc|ahci|ich9-ahci|piix[34]-ide|sdhci-pci|sd-card|emmc)$/,
  /^(?:lsi53c(?:810|895a)|lsi|megasas|megasas-gen2|mptsas1068|am53c974|dc390|pvscsi)$/,
  /^(?:e1000|e1000e|e1000-82\w+|igb|rtl8139|pcnet|ne2k_(?:pci|isa)|vmxnet3|i8255\w+|i82801|tulip|usb-net|sungem)$/,
  /^(?:VGA|secondary-vga|isa-vga|cirrus-vga|isa-cirrus-vga|qxl|qxl-vga|bochs-display|vmware-svga|ramfb|ati-vga)$/,
  /^(?:intel-hda|ich9-intel-hda|hda-(?:duplex|micro|output)|AC97|ES1370|sb16|adlib|cs4231a|gus|usb-audio)$/,
  /^(?:(?:piix[34]|vt82c686b|ich9)-usb-[ue]hci\d?|usb-ehci|pci-ohci|nec-usb-xhci|qemu-xhci)$/,
  /^usb-(?:tablet|mouse|kbd|storage|bot|uas|hub|serial|ccid|wacom-tablet)$/,
  /^(?:isa-(?:serial|parallel|debugcon|debug-exit|applesmc|ipmi-kcs|ipmi-bt)|pci-serial(?:-[24]x)?)$/,
  /^(?:pvpanic|pvpanic-pci|vmcoreinfo|vmgenid|vmclock|hpet|i6300esb|ib700|sga|smbus-eeprom|edu|pc-testdev)$/,
  /^(?:tpm-(?:tis|crb|tis-device|spapr)|amd-iommu|intel-iommu|pc-dimm|nvdimm|i8042|port92|kvm-pit|isa-pit)$/,
  /^[\w.-]+-(?:x86_64|i386|arm|aarch64)-cpu$/,
];

const refusals: readonly (readonly [RegExp, Refusal])[] = [
  [/^vfio-/, { effect: 'opens', why: 'gives the guest a device of the host' }],
  [
    /^usb-(?:host|mtp)$/,
    { effect: 'opens', why: 'gives the guest a device of the host, or its files' },
  ],
  [
    /^(?:u2f|ccid-card|usb-ccid-card|smartcard)/,
    { effect: 'opens', why: 'uses a key of the host' },
  ],
  [/^(?:ivshmem|vhost-)/, { effect: 'connects', why: 'shares memory with other processes' }],
  [
    /^(?:loader|guest-loader)$/,
    { effect: 'opens', why: "puts a file of the host into the guest's memory" },
  ],
  [/^virtio-input-host/, { effect: 'opens', why: "takes the host's keyboard or mouse" }],
  [
    /^scsi-(?:generic|block)$/,
    { effect: 'opens', why: "sends the guest's commands to a disk of the host" },
  ],
];

/** Undefined for a device that is known to be harmless. */
export function refusalOfDevice(type: string): Refusal | undefined {
  return harmlessDeviceNames.some((pattern) => pattern.test(type))
    ? undefined
    : (refusals.find(([pattern]) => pattern.test(type))?.[1] ?? {
        effect: 'unknown',
        why: 'this device is not known here, so it may do anything',
      });
}

/** Properties of devices that name something of the host. */
export const hostProperty =
  /^(?:romfile|(?:.*[-_])?file|rootdir|dir|evdev|hidraw|sysfsdev|host|hostdevice|hostbus|hostaddr|hostport|db|(?:.*[-_])?(?:path|fd|fds)|vhostfds?|tapfds?)$/;
