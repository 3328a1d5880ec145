// Says what Hadoop's own classes know of their messages, and what they make of bytes.
//
//   CLASS...              on the command line: the classes made from .proto files
//   MESSAGE HEX           on standard input: bytes to read as a message and to write again
//
// Prints `field MESSAGE NUMBER LABEL TYPE` for each field there is, then `bytes MESSAGE HEX` for each line read, with
// `partial MESSAGE` before it where something is missing that Hadoop wants to be there.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.hadoop.thirdparty.protobuf.Descriptors.Descriptor;
import org.apache.hadoop.thirdparty.protobuf.Descriptors.FieldDescriptor;
import org.apache.hadoop.thirdparty.protobuf.Descriptors.FileDescriptor;
import org.apache.hadoop.thirdparty.protobuf.DynamicMessage;

public class ProtoJudge {
  public static void main(String[] classes) throws Exception {
    Map<String, Descriptor> messages = new HashMap<>();
    for (String name : classes) {
      FileDescriptor file =
          (FileDescriptor) Class.forName(name).getMethod("getDescriptor").invoke(null);
      for (Descriptor message : file.getMessageTypes()) {
        messages.put(message.getName(), message);
        for (FieldDescriptor field : message.getFields()) {
          System.out.printf("field %s %d %s %s%n", message.getName(), field.getNumber(),
              field.isRequired() ? "required" : field.isRepeated() ? "repeated" : "optional",
              field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                  ? field.getMessageType().getName()
                  : field.getType().toString().toLowerCase());
        }
      }
    }
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ", -1);
      byte[] bytes = HexFormat.of().parseHex(words[1]);
      DynamicMessage read =
          DynamicMessage.newBuilder(messages.get(words[0])).mergeFrom(bytes).buildPartial();
      if (!read.isInitialized()) System.out.printf("partial %s%n", words[0]);
      if (!read.getUnknownFields().asMap().isEmpty()) throw new Exception("unknown fields: " + line);
      System.out.printf("bytes %s %s%n", words[0], HexFormat.of().formatHex(read.toByteArray()));
    }
  }
}
