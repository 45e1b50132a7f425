import java.io.FileInputStream;
import java.security.*;
import java.security.cert.Certificate;
import java.util.*;

/** Prints what a provider sees in stores: arguments are provider, type, file and password, again and again. */
public class Readers {
    public static void main(String[] arguments) throws Exception {
        try {
            Security.addProvider(
                    (Provider) Class.forName("org.bouncycastle.jce.provider.BouncyCastleProvider").getDeclaredConstructor().newInstance());
        } catch (ClassNotFoundException absent) {
            System.err.println("no BouncyCastle");
        }
        for (int at = 0; at + 3 < arguments.length; at += 4) {
            System.out.println("store\t" + arguments[at + 2]);
            char[] password = arguments[at + 3].toCharArray();
            try {
                KeyStore store = arguments[at].isEmpty()
                        ? KeyStore.getInstance(arguments[at + 1])
                        : KeyStore.getInstance(arguments[at + 1], arguments[at]);
                try (FileInputStream in = new FileInputStream(arguments[at + 2])) {
                    store.load(in, password);
                }
                for (String alias : Collections.list(store.aliases())) {
                    show(store, alias, password);
                }
            } catch (Exception error) {
                System.out.println("error\t" + error);
            }
        }
    }

    private static void show(KeyStore store, String alias, char[] password) throws Exception {
        StringBuilder line = new StringBuilder("entry\t" + alias + "\t");
        Certificate[] chain = store.getCertificateChain(alias);
        if (chain == null) {
            Certificate one = store.getCertificate(alias);
            chain = one == null ? new Certificate[0] : new Certificate[] {one};
        }
        for (Certificate one : chain) {
            line.append(hash(one.getEncoded())).append(',');
        }
        line.append('\t');
        if (store.isKeyEntry(alias)) {
            Key key = store.getKey(alias, password);
            line.append(key.getAlgorithm()).append('\t').append(hash(key.getEncoded()));
        }
        System.out.println(line);
    }

    private static String hash(byte[] bytes) throws Exception {
        StringBuilder text = new StringBuilder();
        for (byte one : MessageDigest.getInstance("SHA-256").digest(bytes)) {
            text.append(String.format("%02x", one));
        }
        return text.toString();
    }
}
