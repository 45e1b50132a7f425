import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Arrays;
import java.util.Collections;

/**
 * Median microseconds on a core of KeyStore.load, warm: type, file, password, runs to warm up, runs that count. With a sixth word, the
 * store is written to a file of that name as PKCS#12, and nothing is measured.
 */
public class Load {
    public static void main(String[] args) throws Exception {
        byte[] bytes = Files.readAllBytes(Path.of(args[1]));
        char[] password = args[2].toCharArray();
        int warm = Integer.parseInt(args[3]), count = Integer.parseInt(args[4]);
        if (args.length > 5) {
            convert(KeyStore.getInstance(args[0]), bytes, password, Path.of(args[5]));
            return;
        }
        long[] times = new long[count];
        var threads = java.lang.management.ManagementFactory.getThreadMXBean();
        int entries = 0;
        for (int run = -warm; run < count; run++) {
            long begun = threads.getCurrentThreadCpuTime();
            KeyStore store = KeyStore.getInstance(args[0]);
            store.load(new ByteArrayInputStream(bytes), password);
            long took = threads.getCurrentThreadCpuTime() - begun;
            entries = store.size();
            if (run >= 0) {
                times[run] = took;
            }
        }
        Arrays.sort(times);
        System.out.printf("%.1f %d%n", times[count / 2] / 1e3, entries);
    }

    static void convert(KeyStore from, byte[] bytes, char[] password, Path target) throws Exception {
        from.load(new ByteArrayInputStream(bytes), password);
        KeyStore to = KeyStore.getInstance("PKCS12");
        to.load(null, null);
        for (String alias : Collections.list(from.aliases())) {
            to.setCertificateEntry(alias, from.getCertificate(alias));
        }
        try (var out = new BufferedOutputStream(Files.newOutputStream(target))) {
            to.store(out, password);
        }
    }
}
