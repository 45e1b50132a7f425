import java.io.FileInputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import javax.net.ssl.*;

/** A TLS server of the JDK: PKCS#12 file, password, port; clients have to show a certificate of the store's CA. */
public class Server {
    public static void main(String[] words) throws Exception {
        char[] password = words[1].toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(words[0])) {
            store.load(in, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        keys.init(store, password);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        anchors.load(null, null);
        java.security.cert.Certificate[] chain = store.getCertificateChain("server");
        anchors.setCertificateEntry("ca", chain[chain.length - 1]);
        trust.init(anchors);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        SSLServerSocket server = (SSLServerSocket) context.getServerSocketFactory()
            .createServerSocket(Integer.parseInt(words[2]), 50, InetAddress.getByName("127.0.0.1"));
        server.setNeedClientAuth(true);
        while (true) {
            SSLSocket socket = (SSLSocket) server.accept();
            new Thread(() -> {
                try (socket) {
                    socket.startHandshake();
                    socket.getInputStream().read();
                } catch (Exception refused) {
                    // The prober hangs up more often than not.
                }
            }).start();
        }
    }
}
