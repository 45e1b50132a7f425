import java.io.*;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Runs keytool once per line of stdin, in this process: words and stdin in base64, separated by blanks and a tab. */
public class Original {
    static final class Ended extends Error {
        Ended() { super(null, null, false, false); }
    }

    static ByteArrayOutputStream out, err;
    static int code;
    static byte[] shownOut, shownErr;

    static void keep(int status) {
        if (shownOut == null) {
            code = status;
            shownOut = out.toByteArray();
            shownErr = err.toByteArray();
        }
    }

    @SuppressWarnings("removal")
    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        System.setSecurityManager(new SecurityManager() {
            @Override public void checkPermission(java.security.Permission permission) {}
            @Override public void checkExit(int status) {
                // What comes behind the exit of a process of its own is not seen there.
                keep(status);
                throw new Ended();
            }
        });
        Method main = Class.forName("sun.security.tools.keytool.Main").getMethod("main", String[].class);
        for (String line; (line = lines.readLine()) != null; ) {
            String[] parts = line.split("\t", -1);
            List<String> words = new ArrayList<>();
            for (String word : parts[0].split(" ")) {
                if (!word.isEmpty()) words.add(text(word));
            }
            out = new ByteArrayOutputStream();
            err = new ByteArrayOutputStream();
            shownOut = null;
            System.setOut(new PrintStream(out, true));
            System.setErr(new PrintStream(err, true));
            System.setIn(new BufferedInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(parts[1]))));
            try {
                main.invoke(null, (Object) words.toArray(new String[0]));
                keep(0);
            } catch (java.lang.reflect.InvocationTargetException wrapped) {
                if (!(wrapped.getCause() instanceof Ended)) {
                    wrapped.getCause().printStackTrace(System.err);
                    keep(1);
                }
            }
            answers.println(code + "\t" + Base64.getEncoder().encodeToString(shownOut) + "\t"
                + Base64.getEncoder().encodeToString(shownErr));
            answers.flush();
        }
    }

    static String text(String word) {
        return new String(Base64.getDecoder().decode(word.substring(1)), StandardCharsets.UTF_8);
    }
}
