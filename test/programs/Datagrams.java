// Sends datagrams to ADDRESS PORT: of a socket that is free, one that waits in a thread before it sends, a channel, and a connected one.
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

class Datagrams {
    static String bare(byte[] bytes, int length) {
        return new String(bytes, 0, length).replaceFirst(" \\d+ ", " ");
    }

    static String receive(DatagramSocket socket) throws Exception {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        socket.receive(packet);
        return bare(packet.getData(), packet.getLength()) + " from " + packet.getSocketAddress();
    }

    static DatagramPacket hello(InetAddress address, int port) {
        return new DatagramPacket("hello".getBytes(), 5, address, port);
    }

    public static void main(String[] args) throws Exception {
        InetAddress address = InetAddress.getByName(args[0]);
        int port = Integer.parseInt(args[1]);
        try (DatagramSocket free = new DatagramSocket()) {
            free.setSoTimeout(10_000);
            free.send(hello(address, port));
            System.out.println("free " + receive(free));
        }
        try (DatagramSocket waiting = new DatagramSocket()) {
            Thread thread = new Thread(() -> {
                try {
                    System.out.println("waiting " + receive(waiting));
                } catch (Exception failure) {
                    System.out.println(failure);
                }
            });
            thread.start();
            waiting.send(hello(address, port));
            thread.join();
        }
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.send(ByteBuffer.wrap("hello".getBytes()), new InetSocketAddress(address, port));
            ByteBuffer buffer = ByteBuffer.allocate(100);
            SocketAddress from = channel.receive(buffer);
            System.out.println("channel " + bare(buffer.array(), buffer.position()) + " from " + from);
        }
        try (DatagramSocket tied = new DatagramSocket()) {
            tied.connect(address, port);
            tied.setSoTimeout(10_000);
            tied.send(new DatagramPacket("hello".getBytes(), 5));
            System.out.println("connected " + receive(tied) + " at " + tied.getLocalAddress());
        }
        try (DatagramSocket lost = new DatagramSocket()) {
            lost.connect(address, port + 1);
            lost.setSoTimeout(10_000);
            lost.send(new DatagramPacket("anyone".getBytes(), 6));
            System.out.println("refused " + receive(lost));
        } catch (PortUnreachableException failure) {
            System.out.println("refused");
        }
    }
}
