// A Java NIO server: one selector, a non-blocking ServerSocketChannel and its channels.
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

class NioSelector {
  public static void main(String[] arguments) throws Exception {
    Selector selector = Selector.open();
    ServerSocketChannel listener = ServerSocketChannel.open();
    String address = arguments.length > 1 ? arguments[1] : "0.0.0.0";
    listener.bind(new InetSocketAddress(address, Integer.parseInt(arguments[0])), 1024);
    listener.configureBlocking(false);
    listener.register(selector, SelectionKey.OP_ACCEPT);
    System.out.println("ready " + ((InetSocketAddress) listener.getLocalAddress()).getPort());
    while (true) {
      selector.select();
      for (SelectionKey key : selector.selectedKeys()) {
        if (key.isAcceptable()) accept(listener, selector);
        else read(key);
      }
      selector.selectedKeys().clear();
    }
  }

  private static void accept(ServerSocketChannel listener, Selector selector) throws Exception {
    SocketChannel channel;
    while ((channel = listener.accept()) != null) {
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, new StringBuilder());
    }
  }

  private static void read(SelectionKey key) throws Exception {
    SocketChannel channel = (SocketChannel) key.channel();
    StringBuilder id = (StringBuilder) key.attachment();
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    int count;
    while ((count = channel.read(buffer.clear())) > 0) id.append(new String(buffer.array(), 0, count));
    if (count == 0) return;
    System.out.println("conn " + id + " " + text(channel.getRemoteAddress()) + " " + text(channel.socket().getRemoteSocketAddress())
        + " " + text(channel.getLocalAddress()));
    channel.write(ByteBuffer.wrap(("ok " + id).getBytes()));
    channel.close();
  }

  private static String text(Object address) {
    InetSocketAddress socket = (InetSocketAddress) address;
    return socket.getAddress().getHostAddress() + " " + socket.getPort();
  }
}
