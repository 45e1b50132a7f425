import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.util.concurrent.*;
import javax.net.ssl.*;

/** A TLS server of the JDK alone: DIR HOST PORT WEB-PORT DB-PORT. It reads its stores at the start and dials its peers. */
public class Ledger {
    static KeyStore id, trust;
    static volatile boolean ends;

    public static void main(String[] a) throws Exception {
        id = load("PKCS12", a[0] + "/ledger.p12", "identity");
        trust = load("JKS", a[0] + "/trust.jks", "believed");
        String host = a[1];
        int web = Integer.parseInt(a[3]), db = Integer.parseInt(a[4]);
        SSLServerSocket server = (SSLServerSocket) context().getServerSocketFactory().createServerSocket();
        server.setReuseAddress(true);
        server.bind(new InetSocketAddress(host, Integer.parseInt(a[2])), 50);
        server.setNeedClientAuth(true);
        ExecutorService calls = Executors.newCachedThreadPool();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            ends = true;
            try {
                server.close();
                calls.shutdown();
                calls.awaitTermination(500, TimeUnit.MILLISECONDS);
            } catch (Exception e) {
            }
        }));
        PrintWriter log = new PrintWriter(new FileWriter(a[0] + "/calls.log", true), true);
        Thread dialler = new Thread(() -> dial(host, web, db, log));
        dialler.setDaemon(true);
        dialler.start();
        while (!ends) {
            Socket socket;
            try {
                socket = server.accept();
            } catch (IOException e) {
                break;
            }
            calls.submit(() -> answer(socket));
        }
    }

    static Object answer(Socket socket) {
        try (socket) {
            socket.setSoTimeout(2000);
            if (socket.getInputStream().read() == 'h') socket.getOutputStream().write("ok\n".getBytes());
        } catch (IOException e) {
        }
        return null;
    }

    static void dial(String host, int web, int db, PrintWriter log) {
        while (!ends) {
            one("web", log, () -> {
                try (Socket s = context().getSocketFactory().createSocket(host, web)) {
                    s.setSoTimeout(5000);
                    s.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
                    String line = new BufferedReader(new InputStreamReader(s.getInputStream())).readLine();
                    if (line == null || !line.contains(" 200")) throw new IOException("answer " + line);
                }
            });
            one("db", log, () -> {
                Socket plain = new Socket(host, db);
                plain.setSoTimeout(5000);
                plain.getOutputStream().write(new byte[] {0, 0, 0, 8, 4, (byte) 0xd2, 0x16, 0x2f});
                if (plain.getInputStream().read() != 'S') throw new IOException("no TLS");
                try (Socket s = context().getSocketFactory().createSocket(plain, host, db, true)) {
                    DataOutputStream out = new DataOutputStream(s.getOutputStream());
                    byte[] words = "user\0postgres\0database\0postgres\0\0".getBytes(StandardCharsets.UTF_8);
                    byte[] all = java.nio.ByteBuffer.allocate(8 + words.length).putInt(8 + words.length).putInt(196608).put(words).array();
                    out.write(all);
                    int first = s.getInputStream().read();
                    if (first != 'R') throw new IOException("answer " + first);
                }
            });
            try {
                Thread.sleep(150);
            } catch (InterruptedException e) {
            }
        }
    }

    interface Call {
        void run() throws Exception;
    }

    static void one(String to, PrintWriter log, Call call) {
        try {
            call.run();
            log.println("good " + to);
        } catch (Exception e) {
            if (!ends) log.println("failed " + to + " " + e);
        }
    }

    /** A context of its own for every call: no session is ever resumed. */
    static SSLContext context() throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(id, "identity".toCharArray());
        TrustManagerFactory anchors = TrustManagerFactory.getInstance("PKIX");
        anchors.init(trust);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), anchors.getTrustManagers(), null);
        return context;
    }

    static KeyStore load(String type, String path, String password) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        try (InputStream in = new FileInputStream(path)) {
            store.load(in, password.toCharArray());
        }
        return store;
    }
}
