// The server's side of DIGEST-MD5 as the JDK has it, which is what Hadoop's daemons use. Takes lines, and answers each with one:
//
//   start QOP USER PASSWORD     begins anew; the challenge
//   step HEX                    the client's answer; the server's proof
//   wrap HEX, unwrap HEX        a message to the client, and from it
//
// All bytes are in hexadecimal digits. What the JDK refuses is answered with `refused` and why.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HexFormat;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslServer;

public class DigestJudge {
  public static void main(String[] none) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    SaslServer server = null;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.split(" ", -1);
      try {
        byte[] answer;
        if (words[0].equals("start")) {
          server = start(words[1], words[2], words[3]);
          answer = server.evaluateResponse(new byte[0]);
        } else {
          byte[] bytes = HexFormat.of().parseHex(words[1]);
          answer = words[0].equals("step") ? server.evaluateResponse(bytes)
              : words[0].equals("wrap") ? server.wrap(bytes, 0, bytes.length)
              : server.unwrap(bytes, 0, bytes.length);
        }
        System.out.println(HexFormat.of().formatHex(answer));
      } catch (Exception e) {
        System.out.println("refused " + e.getMessage());
      }
      System.out.flush();
    }
  }

  private static SaslServer start(String qop, String user, String password) throws Exception {
    return Sasl.createSaslServer("DIGEST-MD5", "hdfs", "0", Map.of(Sasl.QOP, qop, Sasl.SERVER_AUTH, "true"),
        callbacks -> {
          for (Callback callback : callbacks) {
            if (callback instanceof PasswordCallback asked) {
              asked.setPassword(password.toCharArray());
            } else if (callback instanceof AuthorizeCallback asked) {
              asked.setAuthorized(asked.getAuthenticationID().equals(user));
            } else if (callback instanceof NameCallback asked) {
              asked.setName(asked.getDefaultName());
            }
          }
        });
  }
}
